#pragma once

#include <filesystem>
#include <string>

namespace kvscope {

/// How the SHA-256 of the published file of this name begins, lower case: said by the name itself
/// ("vgg16-397923af.pth" of torchvision, "vit_l_14-laion400m_e32-3d133497.pt" of open_clip) or,
/// for the vision transformers of OpenAI's CLIP, by the address that they are published at. ""
/// where neither says.
std::string published_digest(const std::filesystem::path& file);

}  // namespace kvscope
