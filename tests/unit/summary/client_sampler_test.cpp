#include <functional>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <wirelag/summary/client_sampler.hpp>

#include "examples.hpp"

namespace wirelag {
namespace {

using examples::at;
using examples::Passed;

/// One transaction of every kind, of the same client.
void emit_every_kind(TransactionSink& to, const Endpoint& client) {
  std::apply(
      [&](auto... kind) {
        const auto emit = [&](auto transaction) {
          transaction.client = client;
          to.emit(&transaction);
        };
        (emit(kind), ...);
      },
      TransactionKinds{});
}

TEST(ClientSampler, LetsEveryTransactionOfAClientThroughOrNone) {
  std::size_t through = 0;
  for (int i = 0; i < 2000; ++i) {
    Passed passed;
    ClientSampler sampler(0.3, passed);
    const std::string ip = fmt::format("10.1.{}.{}", i / 250, i % 250);
    emit_every_kind(sampler, at(ip, 40000));
    emit_every_kind(sampler, at(ip, 40001));  // another connection
    const std::set<std::size_t> counts(std::begin(passed.of_kind), std::end(passed.of_kind));
    ASSERT_EQ(counts.size(), 1U) << ip;
    ASSERT_EQ(*counts.begin() == 2, sampler.sampled(at(ip, 0).ip)) << ip;
    ASSERT_TRUE(*counts.begin() == 0 || *counts.begin() == 2) << ip;
    through += *counts.begin() / 2;
  }
  EXPECT_NEAR(static_cast<double>(through), 0.3 * 2000, 4 * 20.5);  // four standard deviations
}

TEST(ClientSampler, WhoIsSampledIsTheSameOnEveryWorker) {
  Passed one;
  ClientSampler alone(0.5, one);
  Passed together;
  ClientSampler workers[] = {{0.5, together}, {0.5, together}, {0.5, together}};
  for (int i = 0; i < 300; ++i) {
    for (std::uint16_t port = 1; port <= 6;
         ++port) {  // its connections are spread over the workers
      const Endpoint client = at(fmt::format("2001:db8::{:x}", i), port);
      emit_every_kind(alone, client);
      emit_every_kind(workers[(static_cast<std::size_t>(i) + port) % 3], client);
    }
  }
  EXPECT_TRUE(std::equal(std::begin(one.of_kind), std::end(one.of_kind), together.of_kind));
  EXPECT_GT(one.of_kind[0], 0U);
  EXPECT_LT(one.of_kind[0], 1800U);
}

TEST(ClientSampler, MoreClientsIncludeTheFewer) {
  Passed none;
  const ClientSampler few(0.1, none);
  const ClientSampler more(0.6, none);
  for (int i = 0; i < 1000; ++i) {
    const IpAddress ip = at(fmt::format("2001:db8:0:{:x}::1", i), 0).ip;
    EXPECT_TRUE(!few.sampled(ip) || more.sampled(ip));
  }
}

TEST(ClientSampler, AllAndNothing) {
  Passed none;
  const ClientSampler all(1.0, none);
  const ClientSampler nothing(0.0, none);
  for (int i = 0; i < 200; ++i) {
    const IpAddress ip = at(fmt::format("10.0.0.{}", i), 0).ip;
    EXPECT_TRUE(all.sampled(ip));
    EXPECT_FALSE(nothing.sampled(ip));
  }
}

}  // namespace
}  // namespace wirelag
