// Datagrams rebuilt from fragments: any order, repeats, contradictions, bounds.
#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>

#include "decoded.hpp"
#include "support/fragmenter.hpp"

namespace wirelag::test {
namespace {

std::string pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

Octets datagram(std::size_t payload, std::string_view src = "10.0.0.1") {
  return FrameBuilder()
      .ethernet()
      .ipv4(src, "10.0.0.2")
      .udp(1000, 53)
      .payload(pattern(payload))
      .bytes();
}

Octets datagram6(std::size_t payload) {
  return FrameBuilder()
      .ethernet()
      .ipv6("2001:db8::1", "2001:db8::2")
      .udp(1000, 53)
      .payload(pattern(payload))
      .bytes();
}

class Fragments : public testing::Test {
 protected:
  Decoded feed(const Octets& bytes, TimeNs time_ns = 0) {
    return decoded(decoder, frame_of(bytes, {.time_ns = time_ns, .number = ++number}));
  }
  NotAnalysed reason(const Octets& bytes, TimeNs time_ns = 0) {
    return feed(bytes, time_ns).reason;
  }
  std::uint64_t of(Counter counter) const { return counters.of(counter); }

  Counters counters;
  DecodeLimits limits{.fragment_datagrams = 4};
  Decoder decoder{limits, counters};
  FrameNumber number = 0;
};

TEST_F(Fragments, every_order_gives_the_same_datagram) {
  for (const bool v6 : {false, true}) {
    std::vector<std::size_t> order{0, 1, 2, 3};
    std::uint16_t id = 0;
    do {
      ++id;
      const auto parts =
          v6 ? fragment_ipv6(datagram6(50), kIp, 16, id) : fragment_ipv4(datagram(50), kIp, 16, id);
      ASSERT_EQ(parts.size(), 4u);
      SCOPED_TRACE(testing::PrintToString(order));
      for (int i = 0; i < 3; ++i)
        EXPECT_EQ(reason(parts[order[i]]), NotAnalysed::fragment_incomplete);
      const auto d = feed(parts[order[3]]);
      EXPECT_EQ(d.reason, NotAnalysed::none);
      EXPECT_EQ(d.src, v6 ? "[2001:db8::1]:1000" : "10.0.0.1:1000");
      EXPECT_EQ(d.payload, pattern(50));
      EXPECT_EQ(decoder.fragments_completed(), 3u);
    } while (std::next_permutation(order.begin(), order.end()));
  }
  EXPECT_EQ(of(Counter::datagrams_rebuilt), 48u);
  EXPECT_EQ(of(Counter::fragments), 4 * 48u);
  EXPECT_EQ(of(Counter::fragment_datagrams_evicted), 0u);
}

TEST_F(Fragments, the_books_balance) {
  Accounting books;
  for (std::uint16_t id = 1; id <= 3; ++id) {
    auto parts = fragment_ipv4(datagram(50), kIp, 16, id);
    if (id == 2) parts.pop_back();
    for (const auto& part : parts) {
      const NotAnalysed result = reason(part);
      books.datagram_completed(decoder.fragments_completed());
      books.count(result);
    }
  }
  EXPECT_TRUE(books.balanced());
  EXPECT_EQ(books.analysed, 8u);
  EXPECT_EQ(books.of(NotAnalysed::fragment_incomplete), 3u);
}

TEST_F(Fragments, the_largest_datagram) {
  const std::size_t payload = 65535 - 20 - 8;
  const auto parts = fragment_ipv4(datagram(payload), kIp, 1480);
  for (std::size_t i = parts.size(); i-- > 1;) {
    ASSERT_EQ(reason(parts[i]), NotAnalysed::fragment_incomplete);
  }
  const auto d = feed(parts[0]);
  EXPECT_EQ(d.payload_length, payload);
  EXPECT_EQ(d.payload, pattern(payload));
}

TEST_F(Fragments, padding_behind_a_fragment_is_not_part_of_it) {
  auto parts = fragment_ipv4(datagram(9), kIp, 8);
  for (auto& part : parts) part.resize(60, 0xee);
  EXPECT_EQ(reason(parts[0]), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(reason(parts[1]), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(feed(parts[2]).payload, pattern(9));
}

TEST_F(Fragments, rebuilt_is_a_raw_ip_frame_that_decodes_to_the_same_packet) {
  const auto parts = fragment_ipv4(FrameBuilder()
                                       .ethernet()
                                       .ipv4("10.0.0.1", "10.0.0.2", {})
                                       .tcp(5, 6, {.seq = 9})
                                       .payload(pattern(40))
                                       .bytes(),
                                   kIp, 24);
  EXPECT_EQ(reason(parts[0]), NotAnalysed::fragment_incomplete);
  EXPECT_TRUE(decoder.rebuilt().bytes.empty());
  EXPECT_EQ(reason(parts[1]), NotAnalysed::fragment_incomplete);
  ASSERT_EQ(reason(parts[2], 99), NotAnalysed::none);
  const Frame rebuilt = decoder.rebuilt();
  EXPECT_EQ(rebuilt.link, LinkType::raw_ip);
  EXPECT_EQ(rebuilt.number, 3u);
  EXPECT_EQ(rebuilt.time_ns, 99);
  Counters others;
  Decoder other({}, others);
  const auto again = decoded(other, rebuilt);
  EXPECT_EQ(again.src, "10.0.0.1:5");
  EXPECT_EQ(again.payload, pattern(40));
  EXPECT_EQ(reason(datagram(5)), NotAnalysed::none);
  EXPECT_TRUE(decoder.rebuilt().bytes.empty()) << "the next frame is an ordinary one";
  EXPECT_EQ(decoder.fragments_completed(), 0u);
}

TEST_F(Fragments, extension_headers_around_the_fragment_header) {
  const auto part = [](std::uint16_t offset, bool more) {
    return FrameBuilder()
        .ethernet()
        .ipv6("2001:db8::1", "2001:db8::2")
        .ipv6_extension(0)
        .ipv6_fragment({.id = 5, .offset = offset, .more = more})
        .ip_protocol(60);
  };
  const auto options_and_udp =
      FrameBuilder().ipv6("::1", "::2").ipv6_extension(60).udp(1000, 53).payload("hello").bytes();
  const Octets first(options_and_udp.begin() + 40, options_and_udp.begin() + 56);
  const Octets second(options_and_udp.begin() + 56, options_and_udp.end());
  EXPECT_EQ(reason(part(0, true).raw(first).bytes()), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(feed(part(16, false).raw(second).bytes()).payload, "hello");
}

TEST_F(Fragments, identical_duplicates_are_welcome) {
  const auto parts = fragment_ipv4(datagram(50), kIp, 24);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(reason(parts[0]), NotAnalysed::fragment_incomplete);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(reason(parts[1]), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(feed(parts[2]).payload, pattern(50));
  EXPECT_EQ(decoder.fragments_completed(), 4u);
}

TEST_F(Fragments,
       a_duplicate_of_the_completing_fragment_does_not_poison_the_next_datagram_of_its_id) {
  // GIVEN a mirror port that delivers every frame twice
  const auto first = fragment_ipv4(datagram(40), kIp, 24, 7);
  for (const auto& part : first) {
    (void)reason(part);
    (void)reason(part);
  }
  EXPECT_EQ(of(Counter::datagrams_rebuilt), 1u);
  EXPECT_EQ(of(Counter::mirror_duplicates), 2u);
  EXPECT_EQ(reason(first[1]), NotAnalysed::fragment_duplicate);
  // WHEN the sender reuses the identification for another datagram
  auto other = FrameBuilder()
                   .ethernet()
                   .ipv4("10.0.0.1", "10.0.0.2")
                   .udp(1000, 53)
                   .payload(std::string(40, 'Z'))
                   .bytes();
  const auto second = fragment_ipv4(other, kIp, 24, 7);
  // THEN that one is whole by itself
  EXPECT_EQ(reason(second[0], kSecondNs), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(feed(second[1], kSecondNs).payload, std::string(40, 'Z'));
}

TEST_F(Fragments, other_splits_of_the_same_bytes_overlap_without_contradiction) {
  const auto whole = datagram(56);
  const auto by_16 = fragment_ipv4(whole, kIp, 16);
  const auto by_24 = fragment_ipv4(whole, kIp, 24);
  EXPECT_EQ(reason(by_16[1]), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(reason(by_24[0]), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(reason(by_16[3]), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(feed(by_24[1]).payload, pattern(56));
}

TEST_F(Fragments, contradicting_bytes_drop_the_datagram_and_all_that_comes_later) {
  auto parts = fragment_ipv4(datagram(64), kIp, 24);
  EXPECT_EQ(reason(parts[0]), NotAnalysed::fragment_incomplete);
  auto attack = parts[0];
  attack.back() ^= 1;
  EXPECT_EQ(reason(attack), NotAnalysed::fragment_overlap);
  EXPECT_EQ(reason(parts[1]), NotAnalysed::fragment_overlap);
  EXPECT_EQ(reason(parts[2]), NotAnalysed::fragment_overlap);
  EXPECT_EQ(of(Counter::datagrams_rebuilt), 0u);
}

TEST_F(Fragments, contradicting_lengths_drop_the_datagram) {
  const auto longer = fragment_ipv4(datagram(64), kIp, 24, 1);
  const auto shorter = fragment_ipv4(datagram(30), kIp, 24, 1);
  EXPECT_EQ(reason(longer[2]), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(reason(shorter[1]), NotAnalysed::fragment_overlap) << "ends before what is there";

  const auto longer2 = fragment_ipv4(datagram(64), kIp, 24, 2);
  const auto shorter2 = fragment_ipv4(datagram(30), kIp, 24, 2);
  EXPECT_EQ(reason(shorter2[1]), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(reason(longer2[2]), NotAnalysed::fragment_overlap) << "goes on after the end";
}

TEST_F(Fragments, malformed_ones_never_enter_the_table) {
  auto odd = fragment_ipv4(datagram(50), kIp, 16)[0];
  odd.pop_back();
  odd[kIp + 3] = static_cast<std::uint8_t>(odd[kIp + 3] - 1);
  EXPECT_EQ(reason(odd), NotAnalysed::ip_malformed) << "length not a multiple of 8";

  const auto empty = FrameBuilder()
                         .ethernet()
                         .ipv4("10.0.0.1", "10.0.0.2", {.fragment_offset = 64})
                         .ip_protocol(17)
                         .bytes();
  EXPECT_EQ(reason(empty), NotAnalysed::ip_malformed);

  const auto beyond = FrameBuilder()
                          .ethernet()
                          .ipv4("10.0.0.1", "10.0.0.2", {.fragment_offset = 65528})
                          .ip_protocol(17)
                          .payload("past the end")
                          .bytes();
  EXPECT_EQ(reason(beyond), NotAnalysed::ip_malformed);
}

TEST_F(Fragments, a_fragment_that_comes_too_late_begins_anew) {
  const auto parts = fragment_ipv4(datagram(40), kIp, 24);
  EXPECT_EQ(reason(parts[0], 0), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(reason(parts[1], 31 * kSecondNs), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(reason(parts[0], 32 * kSecondNs), NotAnalysed::none);
}

TEST_F(Fragments, a_clock_far_back_counts_as_too_late) {
  const auto parts = fragment_ipv4(datagram(40), kIp, 24);
  EXPECT_EQ(reason(parts[0], 1000 * kSecondNs), NotAnalysed::fragment_incomplete);
  EXPECT_EQ(reason(parts[1], 0), NotAnalysed::fragment_incomplete);
}

TEST_F(Fragments, when_the_table_is_full_the_oldest_datagram_goes) {
  std::vector<std::vector<Octets>> datagrams;
  for (std::uint16_t id = 0; id < 5; ++id) {
    datagrams.push_back(fragment_ipv4(datagram(40), kIp, 24, id));
    EXPECT_EQ(reason(datagrams.back()[0]), NotAnalysed::fragment_incomplete);
  }
  EXPECT_EQ(of(Counter::fragment_datagrams_evicted), 1u);
  for (std::uint16_t id = 1; id < 5; ++id)
    EXPECT_EQ(reason(datagrams[id][1]), NotAnalysed::none) << id;
  EXPECT_EQ(reason(datagrams[0][1]), NotAnalysed::fragment_incomplete);
}

TEST_F(Fragments, datagrams_that_are_whole_make_room_before_unfinished_ones) {
  const auto waiting = fragment_ipv4(datagram(40), kIp, 24, 1000);
  EXPECT_EQ(reason(waiting[0]), NotAnalysed::fragment_incomplete);
  for (std::uint16_t id = 0; id < 100; ++id) {
    const auto parts = fragment_ipv4(datagram(40), kIp, 24, id);
    EXPECT_EQ(reason(parts[0]), NotAnalysed::fragment_incomplete);
    EXPECT_EQ(reason(parts[1]), NotAnalysed::none);
  }
  EXPECT_EQ(reason(waiting[1]), NotAnalysed::none);
  EXPECT_EQ(of(Counter::fragment_datagrams_evicted), 0u);
}

TEST_F(Fragments, pages_run_out_before_slots_and_the_newest_datagram_wins) {
  // GIVEN three unfinished datagrams of almost 64 KiB in a pool that holds one
  for (std::uint16_t id = 1; id <= 3; ++id) {
    auto parts = fragment_ipv4(datagram(65000), kIp, 1480, id);
    for (std::size_t i = 1; i < parts.size(); ++i) {
      ASSERT_EQ(reason(parts[i]), NotAnalysed::fragment_incomplete);
    }
    if (id == 3) {
      EXPECT_EQ(feed(parts[0]).payload_length, 65000u);
    }
  }
  EXPECT_EQ(of(Counter::fragment_datagrams_evicted), 2u);
}

TEST_F(Fragments, a_flood_of_first_fragments_stays_within_bounds) {
  for (std::uint32_t i = 0; i < 20000; ++i) {
    auto parts = fragment_ipv4(datagram(3000), kIp, 1480, static_cast<std::uint16_t>(i * 7919));
    EXPECT_EQ(reason(parts[i % 2]), NotAnalysed::fragment_incomplete);
  }
  const auto parts = fragment_ipv4(datagram(3000, "10.9.9.9"), kIp, 1480);
  (void)reason(parts[0]);
  (void)reason(parts[1]);
  EXPECT_EQ(feed(parts[2]).payload, pattern(3000));
}

TEST(FragmentsOff, without_a_table_every_fragment_is_counted) {
  Counters counters;
  Decoder decoder({.fragment_datagrams = 0}, counters);
  const auto parts = fragment_ipv4(datagram(40), kIp, 24);
  for (const auto& part : parts) {
    EXPECT_EQ(decoded(decoder, frame_of(part)).reason, NotAnalysed::fragment_table_full);
  }
}

TEST_F(Fragments, a_first_fragment_cut_by_the_snaplen_shows_what_it_has) {
  auto part = fragment_ipv4(datagram(400), kIp, 200)[0];
  part.resize(14 + 20 + 8 + 16);
  const auto d = feed(part);
  EXPECT_EQ(d.reason, NotAnalysed::none);
  EXPECT_EQ(d.payload, pattern(16));
  EXPECT_TRUE(d.snaplen_cut);
  auto later = fragment_ipv4(datagram(400), kIp, 200)[1];
  later.resize(60);
  EXPECT_EQ(reason(later), NotAnalysed::fragment_incomplete);
}

TEST_F(Fragments, a_tunnel_inside_a_rebuilt_datagram) {
  auto tunnel = FrameBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2").gre();
  const auto parts = fragment_ipv4(with_hello(tunnel).bytes(), kIp, 24);
  EXPECT_EQ(reason(parts[0]), NotAnalysed::fragment_incomplete);
  expect_hello(feed(parts[1]), 1);
}

TEST_F(Fragments, fragments_inside_a_tunnel) {
  for (const auto& part : fragment_ipv4(datagram(40), kIp, 24)) {
    const auto d = feed(FrameBuilder()
                            .ethernet()
                            .ipv6("2001:db8::1", "2001:db8::2")
                            .udp(1, 4789)
                            .vxlan(1)
                            .raw(part)
                            .bytes());
    if (d.reason == NotAnalysed::none) {
      EXPECT_EQ(d.payload, pattern(40));
    }
  }
  EXPECT_EQ(of(Counter::datagrams_rebuilt), 1u);
  EXPECT_EQ(decoder.fragments_completed(), 1u);
}

TEST_F(Fragments, fragments_of_fragments_count_every_frame_once) {
  // GIVEN a datagram in two fragments, each tunnelled and split again in two
  std::vector<Octets> frames;
  std::uint16_t id = 100;
  for (const auto& inner : fragment_ipv4(datagram(100), kIp, 64)) {
    const auto tunnel =
        FrameBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2").gre().ethernet().raw({}).bytes();
    auto outer = Octets(tunnel.begin(), tunnel.end() - 14);
    outer.insert(outer.end(), inner.begin(), inner.end());
    const auto total = outer.size() - kIp;
    outer[kIp + 2] = static_cast<std::uint8_t>(total >> 8);
    outer[kIp + 3] = static_cast<std::uint8_t>(total);
    for (const auto& part : fragment_ipv4(outer, kIp, 64, ++id)) frames.push_back(part);
  }
  ASSERT_EQ(frames.size(), 4u);
  Accounting books;
  Decoded last;
  for (const auto& frame : frames) {
    last = feed(frame);
    books.datagram_completed(decoder.fragments_completed());
    books.count(last.reason);
  }
  EXPECT_EQ(last.payload, pattern(100));
  EXPECT_EQ(last.tunnels, 1);
  EXPECT_EQ(books.analysed, 4u);
  EXPECT_EQ(decoder.fragments_completed(), 3u);
  EXPECT_EQ(of(Counter::fragments), 4u);
  EXPECT_EQ(of(Counter::datagrams_rebuilt), 3u);
}

}  // namespace
}  // namespace wirelag::test
