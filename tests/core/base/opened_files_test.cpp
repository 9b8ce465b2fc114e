#include "core/base/opened_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/mapped_file.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

using testing::ElementsAre;

TEST(OpenedFiles, NotesEachFileOnceInOrderWhileItLives) {
  const auto a = std::filesystem::weakly_canonical(test_file("a"));
  const auto b = std::filesystem::weakly_canonical(test_file("b"));
  for (const auto& file : {a, b}) std::ofstream(file) << "x";
  { const MappedFile before(a); }
  const OpenedFiles outer;
  { const MappedFile first(b); }
  {
    const OpenedFiles inner;
    const MappedFile second(a);
    const MappedFile again(b.parent_path() / "." / b.filename());
    EXPECT_THAT(inner.files(), ElementsAre(a, b));
    EXPECT_THAT(outer.files(), ElementsAre(b));
  }
  EXPECT_THAT(outer.files(), ElementsAre(b, a)) << "the inner one hands on";
}

}  // namespace
}  // namespace kvscope
