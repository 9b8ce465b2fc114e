#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/models/vq/vq_config.h"

namespace kvscope {

/// The VQ networks for one image in double, loop by loop, from their description: an oracle.
class NaiveVq {
 public:
  NaiveVq(const VqConfig& config, const TensorMap& weights) : config_(config) {
    for (const auto& [name, tensor] : weights) weights_.set(name, tensor.to(at::kDouble));
  }

  /// [C, H, W] double each.
  at::Tensor encode(const at::Tensor& image) const {
    at::Tensor x = conv("encoder.conv_in", image);
    const auto levels = static_cast<int64_t>(config_.channel_multipliers.size());
    for (int64_t l = 0; l < levels; ++l) {
      const std::string p = "encoder.conv_blocks." + std::to_string(l);
      for (int64_t i = 0; i < config_.encoder_blocks; ++i) {
        x = residual(p + ".res." + std::to_string(i), x);
        if (l == levels - 1) x = attention(p + ".attn." + std::to_string(i), x);
      }
      if (l < levels - 1) x = conv(p + ".downsample.conv", x, 2);
    }
    x = middle("encoder.mid.", x);
    return conv("quant_conv", conv("encoder.conv_out", act(norm("encoder.norm_out", x))));
  }

  /// `ids` [h, w]. `block_inputs`, if given, gets what enters each decoder.conv_blocks.
  at::Tensor decode(const at::Tensor& ids, std::vector<at::Tensor>* block_inputs = nullptr) const {
    const at::Tensor table = weights_.at("quantize.embedding.weight");
    at::Tensor codes = at::zeros({table.size(1), ids.size(0), ids.size(1)}, at::kDouble);
    for (int64_t y = 0; y < ids.size(0); ++y) {
      for (int64_t x = 0; x < ids.size(1); ++x) {
        const auto row = table[ids[y][x].item<int64_t>()].contiguous();
        double square = 0;
        for (int64_t c = 0; c < row.numel(); ++c) square += std::pow(row.data_ptr<double>()[c], 2);
        for (int64_t c = 0; c < row.numel(); ++c) {
          codes[c][y][x] = row.data_ptr<double>()[c] / std::sqrt(square);
        }
      }
    }
    at::Tensor x = conv("decoder.conv_in", conv("post_quant_conv", codes));
    x = middle("decoder.mid.", x);
    const auto levels = static_cast<int64_t>(config_.channel_multipliers.size());
    for (int64_t b = 0; b < levels; ++b) {
      if (block_inputs != nullptr) block_inputs->push_back(x);
      const std::string p = "decoder.conv_blocks." + std::to_string(b);
      for (int64_t i = 0; i <= config_.encoder_blocks; ++i) {
        x = residual(p + ".res." + std::to_string(i), x);
        if (b == 0) x = attention(p + ".attn." + std::to_string(i), x);
      }
      if (b < levels - 1) x = conv(p + ".upsample.conv", twice(x));
    }
    return conv("decoder.conv_out", act(norm("decoder.norm_out", x)));
  }

 private:
  // Stride 1 keeps the size; stride 2 reads zeros right of and below the image only.
  at::Tensor conv(const std::string& name, const at::Tensor& x, int64_t stride = 1) const {
    const at::Tensor w = weights_.at(name + ".weight").contiguous();
    const at::Tensor b = weights_.at(name + ".bias").contiguous();
    const int64_t k = w.size(2), in = w.size(1), height = x.size(1), width = x.size(2);
    const int64_t before = stride == 1 ? k / 2 : 0;
    at::Tensor out = at::zeros({w.size(0), height / stride, width / stride}, at::kDouble);
    const at::Tensor xc = x.contiguous();
    const double* from = xc.data_ptr<double>();
    double* to = out.data_ptr<double>();
    for (int64_t o = 0; o < out.size(0); ++o) {
      for (int64_t y = 0; y < out.size(1); ++y) {
        for (int64_t z = 0; z < out.size(2); ++z) {
          double sum = b.data_ptr<double>()[o];
          for (int64_t c = 0; c < in; ++c) {
            for (int64_t i = 0; i < k; ++i) {
              for (int64_t j = 0; j < k; ++j) {
                const int64_t r = y * stride + i - before, s = z * stride + j - before;
                if (r < 0 || s < 0 || r >= height || s >= width) continue;
                sum += w.data_ptr<double>()[((o * in + c) * k + i) * k + j] *
                       from[(c * height + r) * width + s];
              }
            }
          }
          *to++ = sum;
        }
      }
    }
    return out;
  }

  at::Tensor norm(const std::string& name, const at::Tensor& x) const {
    at::Tensor out = x.contiguous().clone();
    const int64_t size = x.numel() / config_.norm_groups, pixels = x.size(1) * x.size(2);
    const at::Tensor weight = weights_.at(name + ".weight").contiguous();
    const at::Tensor bias = weights_.at(name + ".bias").contiguous();
    for (int64_t g = 0; g < config_.norm_groups; ++g) {
      double* data = out.data_ptr<double>() + g * size;
      double mean = 0, variance = 0;
      for (int64_t i = 0; i < size; ++i) mean += data[i] / static_cast<double>(size);
      for (int64_t i = 0; i < size; ++i) {
        variance += (data[i] - mean) * (data[i] - mean) / static_cast<double>(size);
      }
      for (int64_t i = 0; i < size; ++i) {
        const int64_t c = (g * size + i) / pixels;
        data[i] = (data[i] - mean) / std::sqrt(variance + 1e-6) * weight.data_ptr<double>()[c] +
                  bias.data_ptr<double>()[c];
      }
    }
    return out;
  }

  static at::Tensor act(const at::Tensor& x) {
    at::Tensor out = x.clone();
    for (int64_t i = 0; i < x.numel(); ++i) {
      double& value = out.data_ptr<double>()[i];
      value /= 1 + std::exp(-value);
    }
    return out;
  }

  at::Tensor residual(const std::string& name, const at::Tensor& x) const {
    const at::Tensor h = conv(name + ".conv1", act(norm(name + ".norm1", x)));
    const at::Tensor sum = conv(name + ".conv2", act(norm(name + ".norm2", h)));
    return sum +
           (weights_.contains(name + ".nin_shortcut.weight") ? conv(name + ".nin_shortcut", x) : x);
  }

  at::Tensor attention(const std::string& name, const at::Tensor& x) const {
    const at::Tensor normed = norm(name + ".norm", x);
    const int64_t channels = x.size(0), pixels = x.size(1) * x.size(2);
    const at::Tensor q = conv(name + ".q", normed), k = conv(name + ".k", normed);
    const at::Tensor v = conv(name + ".v", normed);
    at::Tensor mixed = at::zeros_like(q);
    for (int64_t i = 0; i < pixels; ++i) {
      std::vector<double> scores(static_cast<size_t>(pixels));
      double total = 0;
      for (int64_t j = 0; j < pixels; ++j) {
        double& score = scores[static_cast<size_t>(j)];
        for (int64_t c = 0; c < channels; ++c) {
          score += q.data_ptr<double>()[c * pixels + i] * k.data_ptr<double>()[c * pixels + j];
        }
        score = std::exp(score / std::sqrt(static_cast<double>(channels)));
        total += score;
      }
      for (int64_t j = 0; j < pixels; ++j) {
        for (int64_t c = 0; c < channels; ++c) {
          mixed.data_ptr<double>()[c * pixels + i] +=
              scores[static_cast<size_t>(j)] / total * v.data_ptr<double>()[c * pixels + j];
        }
      }
    }
    return x + conv(name + ".proj_out", mixed);
  }

  at::Tensor middle(const std::string& name, const at::Tensor& x) const {
    return residual(name + "2", attention(name + "1", residual(name + "0", x)));
  }

  static at::Tensor twice(const at::Tensor& x) {
    return x.repeat_interleave(2, 1).repeat_interleave(2, 2).contiguous();
  }

  VqConfig config_;
  TensorMap weights_;
};

}  // namespace kvscope
