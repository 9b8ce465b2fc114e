#include "tests/fake_device/fake_device.h"

#include <ATen/ATen.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "core/device/allocation_meter.h"

namespace kvscope {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// What `body` throws says, by LibTorch's own message; "" where it throws nothing.
template <typename Body>
std::string complaint_of(const Body& body) {
  try {
    body();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "";
}

at::Tensor device_tensor(at::IntArrayRef sizes) {
  return at::arange(c10::multiply_integers(sizes), at::kFloat).view(sizes).to(open_fake_device());
}

TEST(FakeDevice, CopiesThereAndBackInEveryDirectionTypeAndLayout) {
  const at::Device device = open_fake_device();
  const at::Tensor host = at::randn({5, 7});
  const at::Tensor there = host.to(device);
  EXPECT_EQ(there.device(), device);
  EXPECT_TRUE(there.cpu().equal(host));
  EXPECT_TRUE(there.clone().cpu().equal(host));
  EXPECT_TRUE(there.to(at::kBFloat16).cpu().equal(host.to(at::kBFloat16)));
  EXPECT_TRUE(host.to(at::TensorOptions(device).dtype(at::kHalf)).cpu().equal(host.to(at::kHalf)));
  EXPECT_TRUE(there.t().cpu().equal(host.t()));
  EXPECT_TRUE(host.t().to(device).cpu().equal(host.t()));
  at::Tensor rows = at::zeros({3, 5, 7}, device);
  rows.copy_(host);  // broadcasts
  EXPECT_TRUE(rows[2].cpu().equal(host));
  EXPECT_EQ(at::empty({0, 3}, device).cpu().sizes(), at::IntArrayRef({0, 3}));
  EXPECT_EQ(there[1][2].item<float>(), host[1][2].item<float>());
}

TEST(FakeDevice, ViewsShareMemoryWithTheirBase) {
  at::Tensor base = device_tensor({4, 6});
  const std::vector<at::Tensor> views{base.narrow(1, 2, 3),
                                      base.t(),
                                      base.view({24}),
                                      base.select(0, 1),
                                      base.unfold(1, 2, 2),
                                      base.expand({2, 4, 6}),
                                      base.unsqueeze(1),
                                      base.slice(0, 0, 4, 2),
                                      base.flatten(),
                                      base.permute({1, 0}),
                                      base.split(2, 1)[1],
                                      base.chunk(2)[0],
                                      base.detach(),
                                      base.diagonal(),
                                      base.as_strided({2, 2}, {6, 1}, 7),
                                      base.view(at::kInt)};
  for (const at::Tensor& view : views) {
    EXPECT_TRUE(view.is_privateuseone());
    EXPECT_TRUE(view.is_alias_of(base));
  }
  base.fill_(3);
  EXPECT_EQ(views[0].sum().item<float>(), 36);
  views[0].zero_();
  base.t()[5].add_(1);
  EXPECT_EQ(base.sum().item<float>(), 24 * 3 - 36 + 4);
}

TEST(FakeDevice, HostThatFollowsADevicePointerDies) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const at::Tensor tensor = device_tensor({3});
  EXPECT_DEATH((void)static_cast<volatile const float*>(tensor.const_data_ptr<float>())[1], "");
  EXPECT_DEATH(tensor.mutable_data_ptr<float>()[0] = 1, "");
}

TEST(FakeDevice, FreshMemoryHoldsNaN) {
  const at::Device device = open_fake_device();
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble}) {
    EXPECT_TRUE(at::empty({9}, at::TensorOptions(device).dtype(type)).isnan().all().item<bool>());
  }
  EXPECT_EQ(at::empty({1}, at::TensorOptions(device).dtype(at::kLong)).item<int64_t>(), -1);
}

TEST(FakeDevice, RefusesTensorsOnTheCpuByOperatorAndArgument) {
  const at::Tensor there = device_tensor({2, 2});
  at::Tensor host = at::ones({2, 2});
  const at::Tensor index = at::zeros({2}, at::kLong);
  EXPECT_THAT(complaint_of([&] { return there + host; }),
              AllOf(HasSubstr("Expected all tensors to be on the same device"),
                    HasSubstr("argument 2 (other) of aten::add.Tensor is on cpu")));
  EXPECT_THAT(complaint_of([&] { return host + there; }),
              HasSubstr("argument 1 (self) of aten::add"));
  EXPECT_THAT(complaint_of([&] { return at::matmul(there, host); }), HasSubstr("aten::mm"));
  EXPECT_THAT(complaint_of([&] { return at::cat({there, host}); }), HasSubstr("aten::cat"));
  EXPECT_THAT(complaint_of([&] { return there.index_select(0, index); }),
              HasSubstr("argument 3 (index) of aten::index_select"));
  EXPECT_THAT(complaint_of([&] {
                return there.gather(1, at::zeros({2, 2}, at::kLong));
              }),
              HasSubstr("aten::gather"));
  EXPECT_THAT(complaint_of([&] { return there.masked_fill(host > 0, 1); }),
              HasSubstr("masked_fill"));
  EXPECT_THAT(complaint_of([&] { at::add_out(host, there, there); }),
              HasSubstr("argument 4 (out) of aten::add.out"));
}

TEST(FakeDevice, TakesTheCpuTensorsThatCudaTakes) {
  at::Tensor there = device_tensor({4});
  EXPECT_EQ((there * at::scalar_tensor(2)).sum().item<float>(), 12);
  EXPECT_EQ((at::scalar_tensor(2) - there).sum().item<float>(), 2);
  EXPECT_EQ(at::where(there > 1, there, at::scalar_tensor(0)).sum().item<float>(), 5);
  const at::Tensor indices = at::tensor({3, 0});
  EXPECT_EQ(there.index({indices}).sum().item<float>(), 3);
  there.index_put_({indices}, at::scalar_tensor(9));
  EXPECT_EQ(there.sum().item<float>(), 21);
  there.masked_fill_(there > 8, at::scalar_tensor(1));
  EXPECT_EQ(there.sum().item<float>(), 5);
  // A number for an element-wise operator only.
  EXPECT_THAT(complaint_of([&] { return there.index_select(0, at::scalar_tensor(1, at::kLong)); }),
              HasSubstr("aten::index_select"));
}

TEST(FakeDevice, RefusesWhatCudaLacks) {
  const at::Device device = open_fake_device();
  at::Generator generator = at::detail::createCPUGenerator(3);
  const char* const complaint =
      "Expected a 'privateuseone' device type for generator but found 'cpu'";
  EXPECT_THAT(complaint_of([&] { return at::randn({3}, generator, device); }),
              HasSubstr(complaint));
  EXPECT_THAT(complaint_of([&] { at::zeros({3}, device).uniform_(0, 1, generator); }),
              HasSubstr(complaint));
  EXPECT_THAT(
      complaint_of([&] { return at::multinomial(at::ones({3}, device), 1, false, generator); }),
      AllOf(HasSubstr("aten::multinomial"), HasSubstr(complaint)));
  const at::Tensor whole = at::ones({2, 2}, at::TensorOptions(device).dtype(at::kLong));
  EXPECT_THAT(complaint_of([&] { return at::matmul(whole, whole); }),
              HasSubstr("\"mm_cuda\" not implemented for 'Long'"));
  EXPECT_THAT(complaint_of([&] { return at::histogram(at::ones({3}, device), 2); }),
              HasSubstr("no CUDA body"));
}

TEST(FakeDevice, EventsHaveTimeBetweenThem) {
  const c10::impl::VirtualGuardImpl guard(open_fake_device().type());
  const c10::Stream stream = guard.getStream(open_fake_device());
  c10::Event before(c10::kPrivateUse1, c10::EventFlag::BACKEND_DEFAULT);
  c10::Event after(c10::kPrivateUse1, c10::EventFlag::BACKEND_DEFAULT);
  before.record(stream);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  after.record(stream);
  after.synchronize();
  EXPECT_TRUE(after.query());
  EXPECT_GE(before.elapsedTime(after), 5);

  const int64_t waited = fake_device_synchronisations();
  guard.synchronizeDevice(0);
  EXPECT_EQ(fake_device_synchronisations(), waited + 1);
}

TEST(FakeDevice, AllocationMeterCountsItsBytes) {
  const at::Device device = open_fake_device();
  const at::Tensor there_before = at::empty({1000}, device);
  AllocationMeter meter(device);
  EXPECT_EQ(meter.live_bytes(), 0);
  {
    const at::Tensor large = at::empty({1 << 20}, device);
    EXPECT_EQ(meter.live_bytes(), 4 << 20);
    EXPECT_EQ(meter.allocations(), 1);
  }
  EXPECT_EQ(meter.live_bytes(), 0);
  EXPECT_EQ(meter.peak_bytes(), 4 << 20);
  meter.restart_peak();
  EXPECT_EQ(meter.peak_bytes(), 0);
  EXPECT_GT(meter.device_peak_bytes(), 4000);
  EXPECT_THAT(complaint_of([&] { return at::empty({int64_t{1} << 40}, device); }),
              HasSubstr("fake device out of memory"));
}

}  // namespace
}  // namespace kvscope
