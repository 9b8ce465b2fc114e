// Looks before anything else of the program runs whether the processor can run it: kvscope is
// compiled for x86-64-v3, and on an older processor would end with "illegal instruction" at a place
// that says nothing. This file alone is compiled for any x86-64 (experiments/CMakeLists.txt), and
// uses nothing that is not: no C++ library, no stream.
#include <unistd.h>

namespace {

constexpr char kAdvice[] =
    "; x86-64-v3 is needed, as processors have since 2013 (Intel Haswell, AMD Excavator). A "
    "virtual "
    "machine may hide it: give it the host's processor type\n";

void say(const char* text) {
  unsigned long length = 0;
  while (text[length] != '\0') ++length;
  if (write(STDERR_FILENO, text, length) < 0) return;  // nobody listens
}

void require(bool has, const char* feature) {
  if (has) return;
  say("error: kvscope cannot run on this processor, which has no ");
  say(feature);
  say(kAdvice);
  constexpr int kEnvironment = 3;
  _exit(kEnvironment);
}

/// Before the constructors of the program's other files, which may use what is looked for here.
__attribute__((constructor(101))) void require_processor() {
  __builtin_cpu_init();
  require(__builtin_cpu_supports("avx2"), "AVX2");
  require(__builtin_cpu_supports("fma"), "FMA");
  require(__builtin_cpu_supports("f16c"), "F16C");
  require(__builtin_cpu_supports("bmi"), "BMI");
  require(__builtin_cpu_supports("bmi2"), "BMI2");
  require(__builtin_cpu_supports("lzcnt"), "LZCNT");
  require(__builtin_cpu_supports("movbe"), "MOVBE");
}

}  // namespace
