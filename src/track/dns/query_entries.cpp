// The entries of the query table: how they come, grow, age and leave.
#include "../mirror.hpp"
#include "query_table.hpp"

namespace wirelag {
namespace {

constexpr std::size_t kBlocksPerEntry = 3;
/// A late answer still pairs with its query for so many query timeouts after the first copy.
constexpr int kTimeoutsKept = 4;
constexpr std::uint16_t kNoError = 0, kNxDomain = 3;  // RFC 1035 section 4.1.1

/// Room for the largest response beside the longest name, so that giving up every other entry
/// always makes room for one.
std::size_t blocks_of(const DnsLimits& limits) {
  const std::size_t one_of_each =
      ByteChains::blocks_for(kLargestDnsMessage) + ByteChains::blocks_for(DnsName::kMaxText);
  return std::max<std::size_t>(kBlocksPerEntry * limits.pending_queries, one_of_each);
}

std::size_t at_least_one(std::size_t n) { return n > 0 ? n : 1; }

/// NODATA (RFC 2308 section 2.2): no record of the type asked for. Aliases alone are it when the resolver
/// would have followed them, and so is a circle of aliases, which leads nowhere (RFC 1034 section 3.6.2). A
/// server that does not recurse leaves the rest of the way to who asked.
bool is_no_data(const DnsMessage& message) {
  return message.header.ancount == 0 ||
         (message.other_types_only && (!message.has_alias || message.header.recursion_available()));
}

/// TC says nothing useful came (RFC 2181 section 9).
DnsOutcome outcome_of(std::uint16_t rcode, bool truncated, bool no_data) {
  if (truncated) return DnsOutcome::truncated;
  if (rcode == kNxDomain) return DnsOutcome::nxdomain;
  if (rcode != kNoError) return DnsOutcome::failed;
  return no_data ? DnsOutcome::nodata : DnsOutcome::answered;
}

constexpr std::size_t kLargestName = (1U << 10) - 1;  // DnsQueryEntry::name_size
static_assert(DnsName::kMaxText <= kLargestName);

/// The four bytes of an IPv4 address.
std::uint32_t four_of(const IpAddress& v4) {
  std::uint32_t four;
  std::memcpy(&four, &v4.bytes[12], sizeof four);
  return four;
}
IpAddress address_of(std::uint32_t four) {
  std::uint8_t bytes[4];
  std::memcpy(bytes, &four, sizeof four);
  return IpAddress::v4(bytes);
}

}  // namespace

DnsQueryTable::DnsQueryTable(const DnsLimits& limits, Classifier& classifier, TransactionSink& sink,
                             Counters& counters)
    : hash_seed_(limits.hash_seed),
      query_timeout_ns_(limits.query_timeout_ns),
      duplicate_window_ns_(limits.duplicate_window_ns),
      classifier_(classifier),
      sink_(sink),
      counters_(counters),
      entries_(at_least_one(limits.pending_queries)),
      copies_(at_least_one(limits.pending_queries / 4)),
      answers_(at_least_one(limits.pending_queries)),
      addresses_(at_least_one(limits.pending_queries)),
      bytes_(blocks_of(limits)),
      buckets_(at_least_one(limits.pending_queries)),
      name_scratch_(std::make_unique<std::uint8_t[]>(DnsName::kMaxText)),
      response_scratch_(std::make_unique<std::uint8_t[]>(kLargestDnsMessage)) {}

// ------------------------------------------------------------------------------ coming, growing

void DnsQueryTable::take_key(Entry& entry, const Key& key) {
  entry.client_port = key.client.port;
  entry.resolver_port = key.resolver.port;
  entry.id = key.id;
  entry.transport = key.transport;
  entry.wide = !key.is_v4();
  if (entry.wide) {
    entry.addresses[0] = addresses_.take();  // as many as there are entries
    addresses_[entry.addresses[0]] = {key.client.ip, key.resolver.ip};
  } else {
    entry.addresses = {four_of(key.client.ip), four_of(key.resolver.ip)};
  }
}

DnsQueryTable::Key DnsQueryTable::key_of(const Entry& entry) const {
  const DnsAddresses ip =
      entry.wide ? addresses_[entry.addresses[0]]
                 : DnsAddresses{address_of(entry.addresses[0]), address_of(entry.addresses[1])};
  return {{ip.client, entry.client_port},
          {ip.resolver, entry.resolver_port},
          entry.id,
          entry.transport};
}

bool DnsQueryTable::has_key(const Entry& entry, const Key& key) const {
  if (entry.id != key.id || entry.client_port != key.client.port ||
      entry.resolver_port != key.resolver.port || entry.transport != key.transport ||
      entry.wide == key.is_v4()) {
    return false;
  }
  if (entry.wide) {
    const DnsAddresses& ip = addresses_[entry.addresses[0]];
    return ip.client == key.client.ip && ip.resolver == key.resolver.ip;
  }
  return entry.addresses[0] == four_of(key.client.ip) &&
         entry.addresses[1] == four_of(key.resolver.ip);
}

/// A new entry of `key`, in neither list yet.
DnsQueryTable::Index DnsQueryTable::add(const Key& key, const KeyEntries& known,
                                        const DnsSighting& seen, const DnsMessage& message,
                                        ServiceId service) {
  const std::string_view qname = message.qname.text();
  const std::size_t own = std::min(qname.size(), Entry::kOwnName);
  const std::uint32_t hash = key.hash(hash_seed_);
  if (known.size == kPerKey) make_room_in_key(known);
  if (known.in_bucket >= DnsQueryBuckets::kMost) make_room_in_bucket(hash);
  if (entries_.in_use() == entries_.capacity()) release_oldest(seen.time_ns);
  make_room_for_bytes(qname.size() - own, seen.time_ns);
  const Index i = entries_.take();
  ByteChain rest;
  (void)bytes_.append(rest, as_bytes(qname.substr(own)));  // there is room

  Entry& entry = entries_[i];
  take_key(entry, key);
  entry.qtype = message.qtype;
  entry.qclass = message.qclass;
  entry.service = service;
  entry.edns_size = message.header.is_response() ? 0 : message.edns_size;
  entry.has_question = message.has_question;
  entry.malformed = seen.malformed;
  entry.untimed = seen.untimed;
  entry.name_size = static_cast<std::uint16_t>(qname.size() & kLargestName);
  std::copy_n(qname.begin(), own, entry.name.begin());
  entry.name_rest = rest.head;
  entry.first_frame = seen.frame;
  entry.first_ns = seen.time_ns;
  if (key.transport == DnsTransport::tcp) {
    entry.origin.connection = seen.connection;
  } else {
    entry.origin.datagram = {message.header.is_response() ? 0 : seen.print, 0};
  }
  buckets_.add(entries_, hash, i);
  return i;
}

/// The bucket is full, or was until one of its entries left.
void DnsQueryTable::make_room_in_bucket(std::uint32_t hash) {
  std::size_t size = 0;
  Index oldest = kNone;
  for (Index i = buckets_.newest(hash); i != kNone; i = entries_[i].older, ++size) oldest = i;
  if (size < DnsQueryBuckets::kMost) return;
  counters_.add(Counter::hash_evicted);
  give_up(oldest);
}

/// Whether the waiting entry has, or now gets, room for the frames of copies.
bool DnsQueryTable::has_copies(Entry& entry, TimeNs now) {
  if (entry.side != kNone) return true;
  do {
    entry.side = copies_.take();
  } while (entry.side == kNone && release_over(now));
  if (entry.side == kNone) return false;
  auto& frames = copies_[entry.side].frames;
  frames.push(entry.first_frame);
  if (entry.mirrored > 0) {
    frames.push(entry.origin.datagram.mirrored_frame);
    frames.leave_out(std::uint32_t{entry.mirrored} - 1);
  }
  return true;
}

void DnsQueryTable::note_query_copy(Entry& entry, const DnsSighting& seen) {
  if (!has_copies(entry, seen.time_ns)) {
    counters_.add(Counter::dns_pending_full);
    return;
  }
  if (entry.transport == DnsTransport::udp) entry.origin.datagram.print = seen.print;
  copies_[entry.side].last_query_ns = seen.time_ns;
  entry.untimed |= seen.untimed;
  copies_[entry.side].frames.push(seen.frame);
}

/// A mirror makes one copy as a rule: only with copies that were sent is there room for more of their frames.
void DnsQueryTable::note_mirrored_query(Entry& entry, const DnsSighting& seen) {
  counters_.add(Counter::mirror_duplicates);
  if (const Index copies = copies_of(entry); copies != kNone) {
    copies_[copies].frames.push(seen.frame);
  } else if (entry.mirrored == 0) {
    entry.origin.datagram.mirrored_frame = seen.frame;
  }
  if (entry.mirrored < Entry::kMostMirrored) ++entry.mirrored;
}

void DnsQueryTable::note_mirrored_answer(Answer& answer) {
  counters_.add(Counter::mirror_duplicates);
  if (answer.mirrored < UINT16_MAX) ++answer.mirrored;
}

/// Gives entry i, which waits and is in neither list, its response and puts it into the list of `stage`.
void DnsQueryTable::note_answer(Index i, Stage stage, const DnsSighting& seen,
                                const DnsMessage& message) {
  const Index slot = answers_.take();  // as many as there are entries
  Answer& answer = answers_[slot];
  answer.response_ns = answer.last_copy_ns = seen.time_ns;
  answer.frame = seen.frame;
  answer.print = seen.print;
  answer.answer_count = message.header.ancount;
  answer.rcode = message.rcode;
  answer.no_data = is_no_data(message);
  answer.truncated = message.header.truncated();
  answer.malformed = seen.malformed;

  make_room_for_bytes(seen.bytes.size(), seen.time_ns);
  ByteChain kept;
  (void)bytes_.append(kept, seen.bytes);
  answer.bytes = kept.head;
  answer.size = kept.size;
  answer.copies = entries_[i].side;
  entries_[i].side = slot;
  entries_[i].untimed |= seen.untimed;
  entries_[i].stage = stage;
  list_of(entries_[i]).add_newest(entries_, i);
}

void DnsQueryTable::note_answer_copy(Index i, const DnsSighting& seen) {
  Answer& answer = answers_[entries_[i].side];
  answer.duplicates.push(seen.frame);
  answer.last_copy_ns = seen.time_ns;
  answer.print = seen.print;
  list_of(entries_[i]).remove(entries_, i);
  answered_.add_newest(entries_, i);
}

/// The query of a response that was handed over before it.
void DnsQueryTable::note_query_of_answer(Index i, const DnsSighting& seen,
                                         const DnsMessage& message) {
  list_of(entries_[i]).remove(entries_, i);
  Entry& entry = entries_[i];
  entry.stage = Stage::answered;
  entry.untimed |= seen.untimed;
  entry.edns_size = message.edns_size;
  entry.malformed = seen.malformed;
  entry.first_frame = seen.frame;
  entry.first_ns = seen.time_ns;
  answered_.add_newest(entries_, i);
}

// ------------------------------------------------------------------------------ room and age

bool DnsQueryTable::is_over(const Entry& entry, TimeNs now) const {
  if (entry.stage == Stage::answered) {
    return now - answers_[entry.side].last_copy_ns > duplicate_window_ns_;
  }
  if (entry.unasked()) return now - entry.first_ns >= kMirrorCopyNs;
  const DurationNs waited_ns = now - entry.first_ns;
  return waited_ns > kTimeoutsKept * query_timeout_ns_ && waited_ns < kTwoClocksNs;
}

void DnsQueryTable::expire(TimeNs now, std::size_t budget) {
  expiring_to_ns_ = now;
  while (budget > 0 && release_over(now)) --budget;
}

/// Emits one entry that is over, if there is one at the head of its list.
bool DnsQueryTable::release_over(TimeNs now) {
  for (const Index oldest : {unasked_.oldest(), answered_.oldest(), waiting_.oldest()}) {
    if (oldest == kNone || !is_over(entries_[oldest], now)) continue;
    emit(oldest);
    return true;
  }
  return false;
}

void DnsQueryTable::finish() {
  while (unasked_.oldest() != kNone) emit(unasked_.oldest());
  while (answered_.oldest() != kNone) emit(answered_.oldest());
  while (waiting_.oldest() != kNone) emit(waiting_.oldest());
}

void DnsQueryTable::make_room_for_bytes(std::size_t bytes, TimeNs now) {
  while (!bytes_.has_room_for(bytes)) release_oldest(now);
}

void DnsQueryTable::release_oldest(TimeNs now) {
  const Index answered = answered_.oldest() != kNone ? answered_.oldest() : waiting_.oldest();
  const Index oldest = unasked_.oldest() != kNone ? unasked_.oldest() : answered;
  if (is_over(entries_[oldest], now)) {
    emit(oldest);
  } else {
    give_up(oldest);
  }
}

/// The same policy within one key, so that the list of a key stays short.
void DnsQueryTable::make_room_in_key(const KeyEntries& known) {
  for (const Index i : known) {
    if (entries_[i].stage != Stage::waiting) return give_up(i);
  }
  give_up(known.at[0]);
}

/// Emits an entry to which something might still have been added.
void DnsQueryTable::give_up(Index i) {
  const Stage stage = entries_[i].stage;
  if (stage == Stage::answered) counters_.add(Counter::dns_duplicate_window_cut);
  if (stage == Stage::waiting) counters_.add(Counter::dns_evicted);
  emit(i);
}

// ------------------------------------------------------------------------------ leaving

void DnsQueryTable::emit(Index i) {
  const Entry& entry = entries_[i];
  BoundedList<FrameNumber, 2> frames;  // of a query that was sent once
  DnsTransaction t;
  const Key key = key_of(entry);
  t.client = key.client;
  t.resolver = key.resolver;
  t.transport = key.transport;
  t.id = key.id;
  t.service = entry.service;
  t.qtype = entry.qtype;
  t.qclass = entry.qclass;
  t.edns_size = entry.edns_size;
  t.malformed = entry.malformed;
  t.untimed = entry.untimed;
  t.mirror_duplicates.c2s = entry.mirrored;
  if (entry.transport == DnsTransport::tcp) t.connection = entry.origin.connection;
  t.qname = name_of(entry);
  if (entry.stage != Stage::waiting) describe(answers_[entry.side], t);
  const Index copies = copies_of(entry);
  if (entry.stage == Stage::query_missing) {
    t.outcome = DnsOutcome::response_only;
  } else if (copies == kNone) {
    frames.push(entry.first_frame);
    if (entry.mirrored > 0) {
      frames.push(entry.origin.datagram.mirrored_frame);
      frames.leave_out(std::uint32_t{entry.mirrored} - 1);
    }
    t.query_frames = frames;
    t.first_query_ns = t.last_query_ns = entry.first_ns;
  } else {
    t.query_frames = copies_[copies].frames;
    t.first_query_ns = entry.first_ns;
    t.last_query_ns = copies_[copies].last_query_ns;
  }
  sink_.emit(&t);
  forget(i);
}

void DnsQueryTable::describe(const Answer& answer, DnsTransaction& out) {
  out.outcome = outcome_of(answer.rcode, answer.truncated, answer.no_data);
  out.rcode = answer.rcode;
  out.answer_count = answer.answer_count;
  out.truncated = answer.truncated;
  out.malformed = out.malformed || answer.malformed;
  out.duplicate_response_frames = answer.duplicates;
  out.mirror_duplicates.s2c = answer.mirrored;
  out.response_frame = answer.frame;
  out.response_ns = answer.response_ns;
  bytes_.read(answer.bytes, answer.size, response_scratch_.get());
  out.response = {response_scratch_.get(), answer.size};
}

/// Put together in name_scratch_.
std::string_view DnsQueryTable::name_of(const Entry& entry) {
  const std::size_t size = entry.name_size;
  const std::size_t own = std::min(size, Entry::kOwnName);
  std::copy_n(entry.name.begin(), own, name_scratch_.get());
  bytes_.read(entry.name_rest, size - own, name_scratch_.get() + own);
  return as_text({name_scratch_.get(), size});
}

void DnsQueryTable::forget(Index i) {
  const Entry& entry = entries_[i];
  buckets_.remove(entries_, key_of(entry).hash(hash_seed_), i);
  list_of(entry).remove(entries_, i);
  if (entry.name_size > Entry::kOwnName) {
    bytes_.release(entry.name_rest, entry.name_size - Entry::kOwnName);
  }
  if (const Index copies = copies_of(entry); copies != kNone) copies_.give(copies);
  if (entry.stage != Stage::waiting) {
    bytes_.release(answers_[entry.side].bytes, answers_[entry.side].size);
    answers_.give(entry.side);
  }
  if (entry.wide) addresses_.give(entry.addresses[0]);
  entries_.give(i);
}

}  // namespace wirelag
