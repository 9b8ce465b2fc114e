#include "analysis/networks/inception.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "analysis/networks/image_input.h"
#include "core/checkpoint/weight_check.h"
#include "core/image/resize.h"

namespace kvscope {
namespace {

constexpr int64_t kSide = 299;

struct Size {
  int64_t height;
  int64_t width;
};

/// Walks the network once; what a convolution does there differs between those who want its shapes
/// and those who run it. `Value` is what flows through.
template <class Value>
class Walk {
 public:
  struct Convolution {
    int64_t out;
    Size kernel{1, 1};
    int64_t stride = 1;
    Size padding{0, 0};
  };
  virtual ~Walk() = default;
  /// Convolution without bias, batch norm, ReLU.
  virtual Value convolution(const std::string& name, const Value& x, const Convolution& what) = 0;
  /// 3 x 3 at stride 2.
  virtual Value reduced(const Value& x) = 0;
  /// 3 x 3 at stride 1: the mean without the padding, or the maximum.
  virtual Value smoothed(const Value& x, bool by_maximum) = 0;
  virtual Value together(const std::vector<Value>& parts) = 0;
  /// The image has come as far as a block whose output is wanted.
  virtual void reached(const char* block, const Value& x) = 0;

  void run(const Value& image) {
    Value x = convolution("Conv2d_1a_3x3", image, {32, {3, 3}, 2});
    x = convolution("Conv2d_2a_3x3", x, {32, {3, 3}});
    x = convolution("Conv2d_2b_3x3", x, {64, {3, 3}, 1, {1, 1}});
    x = reduced(x);
    reached("first_pool", x);
    x = convolution("Conv2d_3b_1x1", x, {80});
    x = convolution("Conv2d_4a_3x3", x, {192, {3, 3}});
    x = reduced(x);
    reached("second_pool", x);
    x = block_5("Mixed_5b", x, 32);
    x = block_5("Mixed_5c", x, 64);
    x = block_5("Mixed_5d", x, 64);
    x = block_6a("Mixed_6a", x);
    x = block_6("Mixed_6b", x, 128);
    x = block_6("Mixed_6c", x, 160);
    x = block_6("Mixed_6d", x, 160);
    x = block_6("Mixed_6e", x, 192);
    reached("mixed_6e", x);
    x = block_7a("Mixed_7a", x);
    x = block_7("Mixed_7b", x, false);
    x = block_7("Mixed_7c", x, true);
    reached("pool", x);
  }

 private:
  Value block_5(const std::string& name, const Value& x, int64_t pooled) {
    const Value one = convolution(name + ".branch1x1", x, {64});
    Value five = convolution(name + ".branch5x5_1", x, {48});
    five = convolution(name + ".branch5x5_2", five, {64, {5, 5}, 1, {2, 2}});
    const Value three = doubled(name, x, 64, 96, 1);
    const Value pool = convolution(name + ".branch_pool", smoothed(x, false), {pooled});
    return together({one, five, three, pool});
  }

  // The branch of two 3 x 3 convolutions; the last one at `stride`, without padding where it is 2.
  Value doubled(const std::string& name, const Value& x, int64_t in, int64_t out, int64_t stride) {
    const Size last = stride == 1 ? Size{1, 1} : Size{0, 0};
    Value y = convolution(name + ".branch3x3dbl_1", x, {in});
    y = convolution(name + ".branch3x3dbl_2", y, {out, {3, 3}, 1, {1, 1}});
    return convolution(name + ".branch3x3dbl_3", y, {out, {3, 3}, stride, last});
  }

  Value block_6a(const std::string& name, const Value& x) {
    const Value three = convolution(name + ".branch3x3", x, {384, {3, 3}, 2});
    return together({three, doubled(name, x, 64, 96, 2), reduced(x)});
  }

  Value block_6(const std::string& name, const Value& x, int64_t inner) {
    const auto row = [&](const std::string& branch, const Value& y, int64_t out) {
      return convolution(name + branch, y, {out, {1, 7}, 1, {0, 3}});
    };
    const auto column = [&](const std::string& branch, const Value& y, int64_t out) {
      return convolution(name + branch, y, {out, {7, 1}, 1, {3, 0}});
    };
    const Value one = convolution(name + ".branch1x1", x, {192});
    Value seven = convolution(name + ".branch7x7_1", x, {inner});
    seven = row(".branch7x7_2", seven, inner);
    seven = column(".branch7x7_3", seven, 192);
    Value twice = convolution(name + ".branch7x7dbl_1", x, {inner});
    twice = column(".branch7x7dbl_2", twice, inner);
    twice = row(".branch7x7dbl_3", twice, inner);
    twice = column(".branch7x7dbl_4", twice, inner);
    twice = row(".branch7x7dbl_5", twice, 192);
    const Value pool = convolution(name + ".branch_pool", smoothed(x, false), {192});
    return together({one, seven, twice, pool});
  }

  Value block_7a(const std::string& name, const Value& x) {
    Value three = convolution(name + ".branch3x3_1", x, {192});
    three = convolution(name + ".branch3x3_2", three, {320, {3, 3}, 2});
    Value seven = convolution(name + ".branch7x7x3_1", x, {192});
    seven = convolution(name + ".branch7x7x3_2", seven, {192, {1, 7}, 1, {0, 3}});
    seven = convolution(name + ".branch7x7x3_3", seven, {192, {7, 1}, 1, {3, 0}});
    seven = convolution(name + ".branch7x7x3_4", seven, {192, {3, 3}, 2});
    return together({three, seven, reduced(x)});
  }

  Value block_7(const std::string& name, const Value& x, bool pools_by_maximum) {
    const auto crossed = [&](const std::string& branch, const Value& y) {
      return together({convolution(name + branch + "a", y, {384, {1, 3}, 1, {0, 1}}),
                       convolution(name + branch + "b", y, {384, {3, 1}, 1, {1, 0}})});
    };
    const Value one = convolution(name + ".branch1x1", x, {320});
    const Value three = crossed(".branch3x3_2", convolution(name + ".branch3x3_1", x, {384}));
    Value twice = convolution(name + ".branch3x3dbl_1", x, {448});
    twice = convolution(name + ".branch3x3dbl_2", twice, {384, {3, 3}, 1, {1, 1}});
    twice = crossed(".branch3x3dbl_3", twice);
    const Value pool = convolution(name + ".branch_pool", smoothed(x, pools_by_maximum), {192});
    return together({one, three, twice, pool});
  }
};

/// Only the channels flow.
class ShapeWalk : public Walk<int64_t> {
 public:
  std::vector<WeightSpec> specs{};

  int64_t convolution(const std::string& name,
                      const int64_t& in,
                      const Convolution& what) override {
    specs.push_back({name + ".conv.weight", {what.out, in, what.kernel.height, what.kernel.width}});
    for (const char* part : {"weight", "bias", "running_mean", "running_var"}) {
      specs.push_back({fmt::format("{}.bn.{}", name, part), {what.out}});
    }
    specs.push_back({.name = name + ".bn.num_batches_tracked", .shape = {}, .buffer = true});
    return what.out;
  }
  int64_t reduced(const int64_t& channels) override { return channels; }
  int64_t smoothed(const int64_t& channels, bool /*by_maximum*/) override { return channels; }
  int64_t together(const std::vector<int64_t>& parts) override {
    int64_t sum = 0;
    for (const int64_t part : parts) sum += part;
    return sum;
  }
  void reached(const char* /*block*/, const int64_t& /*channels*/) override {}
};

class TensorWalk : public Walk<at::Tensor> {
 public:
  explicit TensorWalk(const TensorMap& weights) : weights_(weights) {}
  Inception::Features features{};

  at::Tensor convolution(const std::string& name,
                         const at::Tensor& x,
                         const Convolution& what) override {
    constexpr double kEpsilon = 0.001;
    const at::Tensor convolved =
        at::conv2d(x, weights_.at(name + ".conv.weight"), {}, {what.stride, what.stride},
                   {what.padding.height, what.padding.width});
    const auto norm = [&](const char* part) { return weights_.at(name + ".bn." + part); };
    return at::batch_norm(convolved, norm("weight"), norm("bias"), norm("running_mean"),
                          norm("running_var"), false, 0, kEpsilon, false)
        .relu_();
  }
  at::Tensor reduced(const at::Tensor& x) override { return at::max_pool2d(x, {3, 3}, {2, 2}); }
  at::Tensor smoothed(const at::Tensor& x, bool by_maximum) override {
    if (by_maximum) return at::max_pool2d(x, {3, 3}, {1, 1}, {1, 1});
    return at::avg_pool2d(x, {3, 3}, {1, 1}, {1, 1}, false, false);
  }
  at::Tensor together(const std::vector<at::Tensor>& parts) override { return at::cat(parts, 1); }
  void reached(const char* block, const at::Tensor& x) override {
    const std::string name = block;
    at::Tensor& mean = name == "first_pool"    ? features.first_pool
                       : name == "second_pool" ? features.second_pool
                       : name == "mixed_6e"    ? features.mixed_6e
                                               : features.pool;
    mean = x.mean({2, 3});
  }

 private:
  const TensorMap& weights_;
};

at::Tensor clean_input(const Image& image) {
  const at::Tensor planes = image_tensor(image);
  std::vector<at::Tensor> resized;
  for (int64_t channel = 0; channel < 3; ++channel) {
    const at::Tensor plane = planes[0][channel].contiguous();
    const std::vector<float> pixels =
        resize_plane({plane.const_data_ptr<float>(), static_cast<size_t>(plane.numel())},
                     image.height, image.width, kSide, kSide, ResizeFilter::kBicubic);
    resized.push_back(at::tensor(pixels, at::kFloat).view({kSide, kSide}).clamp(0, 255));
  }
  return at::stack(resized).unsqueeze(0);
}

}  // namespace

at::Tensor inception_input(const Image& image, InceptionInput input, at::ScalarType dtype) {
  if (input == InceptionInput::kClean) return (clean_input(image).to(dtype) - 128) / 128;
  const at::Tensor small = image_tensor(image, dtype) / 255;
  return at::upsample_bilinear2d(small, {kSide, kSide}, false) * 2 - 1;
}

std::vector<WeightSpec> inception_tensors() {
  ShapeWalk walk;
  walk.run(3);
  walk.specs.push_back(unneeded_tensors("fc.", ""));
  walk.specs.push_back(unneeded_tensors("AuxLogits.", ""));
  return std::move(walk.specs);
}

Inception::Inception(const TensorMap& tensors, const std::string& file) {
  const std::vector<WeightSpec> specs = inception_tensors();
  require_weights(specs, tensors, file, "Inception-v3 of FID");
  const auto spellings = [](const std::string& name) { return std::vector<std::string>{name}; };
  for (const auto& [name, tensor] : resolve_weights(specs, tensors, spellings, file)) {
    weights_.set(name, tensor.to(at::kFloat));
  }
}

Inception Inception::to(at::Device device, at::ScalarType dtype) const {
  Inception moved = *this;
  for (const auto& [name, tensor] : weights_) moved.weights_.set(name, tensor.to(device, dtype));
  return moved;
}

at::Device Inception::device() const {
  return weights_.begin()->second.device();
}

Inception::Features Inception::features(const at::Tensor& images) const {
  TensorWalk walk(weights_);
  walk.run(images);
  return walk.features;
}

}  // namespace kvscope
