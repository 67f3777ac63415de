// Lets every transaction of a sampled client through and none of the others, so that what one user
// waited for can always be put together. By a hash of the client address: the same on every worker.
// Counters and histograms are not sampled; they are counted before.
#pragma once

#include <wirelag/base/hash.hpp>
#include <wirelag/track/transaction.hpp>

namespace wirelag {

class ClientSampler : public TransactionSink {
 public:
  /// `share` of all clients from 0 to 1. `next` must outlive the sampler.
  ClientSampler(double share, TransactionSink& next)
      : next_(next),
        everyone_(share >= 1.0),
        below_(everyone_ || share <= 0.0 ? 0 : static_cast<std::uint64_t>(share * 0x1p64)) {}

  void emit(TransactionRef transaction) override {
    const IpAddress client = std::visit([](const auto* t) { return t->client.ip; }, transaction);
    if (sampled(client)) next_.emit(transaction);
  }
  [[nodiscard]] bool sampled(const IpAddress& client) const {
    return everyone_ || combine64(mix64(client.high()), client.low()) < below_;
  }

 private:
  TransactionSink& next_;
  bool everyone_;
  std::uint64_t below_;
};

}  // namespace wirelag
