#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wirelag/control/transaction_ring.hpp>

namespace wirelag {
namespace {

/// A transaction as a sink sees it: kind, its texts, and its own bytes with the texts' places
/// wiped.
struct Seen {
  std::size_t kind;
  std::vector<std::string> texts;
  std::string numbers;
  bool operator==(const Seen&) const = default;
};

Seen look_at(TransactionRef ref) {
  return std::visit(
      [&ref](const auto* transaction) {
        auto copy = *transaction;
        Seen seen{ref.index(), {}, {}};
        std::apply(
            [&seen](auto&... view) {
              (seen.texts.emplace_back(reinterpret_cast<const char*>(view.data()),
                                       bytes_shown(view)),
               ...);
              ((view = {}), ...);
            },
            copy.views());
        seen.numbers.assign(reinterpret_cast<const char*>(&copy), sizeof copy);
        return seen;
      },
      ref);
}

struct RecordingSink : TransactionSink {
  std::vector<Seen> seen;
  void emit(TransactionRef ref) override { seen.push_back(look_at(ref)); }
};

/// Transactions of every kind with random numbers and texts; the same seed gives the same ones.
class RandomTransactions {
 public:
  RandomTransactions(unsigned seed, std::size_t longest_text)
      : random_(seed), longest_text_(longest_text) {}

  void emit_one(TransactionSink& into) { emit_kind(random_() % kKinds, into); }

 private:
  static constexpr std::size_t kKinds = std::tuple_size_v<TransactionKinds>;

  template <std::size_t Kind = 0>
  void emit_kind(std::size_t kind, TransactionSink& into) {
    if constexpr (Kind < kKinds) {
      if (kind != Kind) return emit_kind<Kind + 1>(kind, into);
      std::tuple_element_t<Kind, TransactionKinds> transaction;
      randomise(transaction);
      into.emit(&transaction);
    }
  }

  // Every byte at random, whatever the members are called; then texts in the place of the views.
  template <class Transaction>
  void randomise(Transaction& transaction) {
    auto* bytes = reinterpret_cast<unsigned char*>(&transaction);
    for (std::size_t i = 0; i < sizeof transaction; ++i) {
      bytes[i] = static_cast<unsigned char>(random_() & 1);
    }
    memory_.clear();
    const auto place = [this]<class View>(View& view) {
      using Item = ItemOf<View>;
      const std::size_t items = random_() % (longest_text_ + 1) / sizeof(Item);
      std::vector<std::uint64_t>& memory = memory_.emplace_back(items * sizeof(Item) / 8 + 1);
      auto* const raw = reinterpret_cast<char*>(memory.data());
      for (std::size_t i = 0; i < items * sizeof(Item); ++i) raw[i] = static_cast<char>(random_());
      view = View(reinterpret_cast<const Item*>(raw), items);
    };
    std::apply([&place](auto&... view) { (place(view), ...); }, transaction.views());
  }

  std::mt19937 random_;
  std::size_t longest_text_;
  std::vector<std::vector<std::uint64_t>> memory_;  ///< of the views
};

TEST(TransactionRing, gives_back_what_was_emitted_through_two_threads) {
  constexpr std::size_t kTransactions = 20'000;
  SpscRing ring(64 * 1024);
  Counters counters;
  std::thread worker([&] {
    TransactionWriter writer(ring, WhenFull::wait, counters);
    RandomTransactions source(1, 700);
    for (std::size_t i = 0; i < kTransactions; ++i) source.emit_one(writer);
  });

  TransactionReader reader(ring);
  RecordingSink got;
  std::size_t drained = 0;
  while (drained < kTransactions) {
    const std::size_t n = reader.drain(got, 32);
    if (n == 0) std::this_thread::yield();
    drained += n;
  }
  worker.join();

  RecordingSink expected;
  RandomTransactions again(1, 700);
  for (std::size_t i = 0; i < kTransactions; ++i) again.emit_one(expected);
  ASSERT_EQ(got.seen.size(), expected.seen.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < kTransactions; ++i) wrong += !(got.seen[i] == expected.seen[i]);
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(counters.of(Counter::transactions_shed), 0U);
  EXPECT_EQ(reader.drain(got, 1), 0U);
}

TEST(TransactionRing, a_full_ring_sheds_and_counts_in_live_mode) {
  SpscRing ring(16 * 1024);
  Counters counters;
  TransactionWriter writer(ring, WhenFull::drop, counters);
  const std::string name(1000, 'n');
  DnsTransaction dns;
  dns.qname = name;
  for (std::uint16_t i = 0; i < 100; ++i) {
    dns.id = i;
    writer.emit(&dns);
  }

  struct Ids : TransactionSink {
    std::vector<std::uint16_t> ids;
    void emit(TransactionRef ref) override {
      ids.push_back(std::get<const DnsTransaction*>(ref)->id);
    }
  } got;
  TransactionReader reader(ring);
  const std::size_t kept = reader.drain(got, 1000);
  EXPECT_GT(kept, 5U);
  EXPECT_EQ(kept + counters.of(Counter::transactions_shed), 100U);
  for (std::size_t i = 0; i < kept; ++i) EXPECT_EQ(got.ids[i], i) << "the first ones are kept";

  writer.emit(&dns);
  EXPECT_EQ(reader.drain(got, 1000), 1U) << "after draining there is room again";
}

TEST(TransactionRing, drains_no_more_than_asked) {
  SpscRing ring(64 * 1024);
  Counters counters;
  TransactionWriter writer(ring, WhenFull::wait, counters);
  const Connection connection;
  for (int i = 0; i < 5; ++i) writer.emit(&connection);
  TransactionReader reader(ring);
  RecordingSink got;
  EXPECT_EQ(reader.drain(got, 3), 3U);
  EXPECT_EQ(reader.drain(got, 3), 2U);
  EXPECT_EQ(reader.drain(got, 3), 0U);
}

TEST(TransactionRing, an_oversized_answer_is_cut_and_the_numbers_stay) {
  SpscRing ring(8 * 1024);
  Counters counters;
  TransactionWriter writer(ring, WhenFull::wait, counters);
  const std::vector<std::uint8_t> answer(20'000, 0xab);
  DnsTransaction dns;
  dns.qname = "a.example";
  dns.response = Bytes(answer);
  dns.first_query_ns = 5;
  dns.response_ns = 25;
  writer.emit(&dns);

  struct Check : TransactionSink {
    int seen = 0;
    void emit(TransactionRef ref) override {
      const DnsTransaction& t = *std::get<const DnsTransaction*>(ref);
      ++seen;
      EXPECT_EQ(t.qname, "a.example");
      EXPECT_EQ(t.latency_ns(), 20);
      EXPECT_GT(t.response.size(), 1000U);
      EXPECT_LT(t.response.size(), 8U * 1024);
      EXPECT_EQ(t.response.back(), 0xab);
    }
  } check;
  EXPECT_EQ(TransactionReader(ring).drain(check, 10), 1U);
  EXPECT_EQ(check.seen, 1);
  EXPECT_EQ(counters.of(Counter::transactions_shed), 0U);
}

}  // namespace
}  // namespace wirelag
