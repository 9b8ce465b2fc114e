#include "experiments/judges/export_plan.h"

namespace kvscope {

std::vector<std::string> ExportPlan::places() const {
  std::vector<std::string> places;
  for (const PlannedText& text : texts) places.push_back(text.place);
  for (const PlannedPicture& picture : pictures) places.push_back(picture.place);
  if (archive) places.push_back(archive->place);
  return places;
}

}  // namespace kvscope
