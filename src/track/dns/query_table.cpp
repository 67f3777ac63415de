// Which message belongs to which transaction.
#include "query_table.hpp"

#include <wirelag/base/hash.hpp>

#include "../mirror.hpp"

namespace wirelag {

std::uint32_t DnsQueryKey::hash(std::uint64_t seed) const {
  const std::uint64_t rest = static_cast<std::uint64_t>(client.port) << 48 |
                             static_cast<std::uint64_t>(resolver.port) << 32 |
                             static_cast<std::uint64_t>(id) << 8 |
                             static_cast<std::uint64_t>(transport);
  std::uint64_t h = combine64(seeded64(seed, rest), client.ip.high());
  h = combine64(h, client.ip.low());
  h = combine64(h, resolver.ip.high());
  return static_cast<std::uint32_t>(combine64(h, resolver.ip.low()));
}

std::uint32_t DnsQueryTable::prefetch_bucket(const Endpoint& src, const Endpoint& dst,
                                             const DnsHeader& header) const {
  const bool response = header.is_response();
  const Key key{response ? dst : src, response ? src : dst, header.id, DnsTransport::udp};
  const std::uint32_t hash = key.hash(hash_seed_);
  buckets_.prefetch(hash);
  return hash;
}

void DnsQueryTable::prefetch_entry(std::uint32_t hash) const {
  const Index newest = buckets_.newest(hash);
  if (newest == kNone) return;
  const Entry& entry = entries_[newest];
  prefetch_lines<sizeof(Entry)>(&entry);
  prefetch_line(&entry.name.back());
}

ServiceId DnsQueryTable::on_message(const DnsSighting& seen, const DnsMessage& message) {
  // One message adds at most one entry, so two keep the lists short.
  if (known(expiring_to_ns_)) expire(expiring_to_ns_, 2);
  const ServiceId service =
      message.has_question ? classifier_.service_of(message.qname.text()) : kNoService;
  if (message.header.is_response()) {
    on_response(seen, message, service);
  } else {
    on_query(seen, message, service);
  }
  return service;
}

void DnsQueryTable::on_query(const DnsSighting& seen, const DnsMessage& message,
                             ServiceId service) {
  const Key key{seen.src, seen.dst, message.header.id, seen.transport};
  const KeyEntries known = entries_of(key, seen.time_ns);
  if (const Index original = query_mirrored_by(known, seen); original != kNone) {
    note_mirrored_query(entries_[original], seen);
  } else if (const Index first = query_repeated_by(known, seen, message); first != kNone) {
    note_query_copy(entries_[first], seen);
  } else if (const Index answer = response_waiting_for(known, seen, message); answer != kNone) {
    note_query_of_answer(answer, seen, message);
  } else {
    waiting_.add_newest(entries_, add(key, known, seen, message, service));
  }
}

void DnsQueryTable::on_response(const DnsSighting& seen, const DnsMessage& message,
                                ServiceId service) {
  const Key key{seen.dst, seen.src, message.header.id, seen.transport};
  const KeyEntries known = entries_of(key, seen.time_ns);
  if (const Index original = answer_mirrored_by(known, seen); original != kNone) {
    note_mirrored_answer(answers_[entries_[original].side]);
  } else if (const Index query = query_answered_by(known, seen, message); query != kNone) {
    // Out of its list first, so that making room for the response cannot give this entry up.
    list_of(entries_[query]).remove(entries_, query);
    note_answer(query, Stage::answered, seen, message);
  } else if (const Index answer = answer_repeated_by(known, message); answer != kNone) {
    note_answer_copy(answer, seen);
  } else {
    const Index i = add(key, known, seen, message, service);
    note_answer(i, Stage::query_missing, seen, message);
  }
}

DnsQueryTable::KeyEntries DnsQueryTable::entries_of(const Key& key, TimeNs now) {
  KeyEntries live;
  Index older = kNone;
  for (Index i = buckets_.newest(key.hash(hash_seed_)); i != kNone; i = older) {
    older = entries_[i].older;
    ++live.in_bucket;
    if (!has_key(entries_[i], key)) continue;
    if (is_over(entries_[i], now)) {
      emit(i);
    } else {
      live.at[live.size++] = i;
    }
  }
  std::reverse(live.at.begin(), live.at.begin() + static_cast<std::ptrdiff_t>(live.size));
  return live;
}

bool DnsQueryTable::has_name(const Entry& entry, std::string_view name) const {
  if (entry.name_size != name.size()) return false;
  const std::size_t own = std::min(name.size(), Entry::kOwnName);
  return std::memcmp(entry.name.data(), name.data(), own) == 0 &&
         bytes_.equals(entry.name_rest, as_bytes(name.substr(own)));
}

bool DnsQueryTable::same_question(const Entry& entry, const DnsMessage& message) const {
  if (!entry.has_question || !message.has_question) {
    return entry.has_question == message.has_question;
  }
  return entry.qtype == message.qtype && entry.qclass == message.qclass &&
         has_name(entry, message.qname.text());
}

/// The same, as far as both can be read: the name of one of them may be damaged.
bool DnsQueryTable::may_be_same_question(const Entry& entry, const DnsMessage& message) const {
  if (!entry.has_question || !message.has_question) return true;
  if (entry.name_size > 0 && !message.qname.text().empty()) return same_question(entry, message);
  return entry.qtype == message.qtype && entry.qclass == message.qclass;
}

TimeNs DnsQueryTable::latest_query_ns(const Entry& entry) const {
  const Index copies = copies_of(entry);
  return copies == kNone ? entry.first_ns : copies_[copies].last_query_ns;
}

/// The entry whose latest query the mirror delivers once more.
DnsQueryTable::Index DnsQueryTable::query_mirrored_by(const KeyEntries& known,
                                                      const DnsSighting& seen) const {
  for (const Index i : known) {
    const Entry& entry = entries_[i];
    if (seen.print == 0 || seen.print != entry.origin.datagram.print) continue;
    const DurationNs since = elapsed_ns(latest_query_ns(entry), seen.time_ns);
    if (wirelag::known(since) && since < kMirrorCopyNs) return i;
  }
  return kNone;
}

/// The entry whose latest response the mirror delivers once more.
DnsQueryTable::Index DnsQueryTable::answer_mirrored_by(const KeyEntries& known,
                                                       const DnsSighting& seen) const {
  for (const Index i : known) {
    if (entries_[i].stage == Stage::waiting) continue;
    const Answer& answer = answers_[entries_[i].side];
    if (seen.print == 0 || seen.print != answer.print) continue;
    const DurationNs since = elapsed_ns(answer.last_copy_ns, seen.time_ns);
    if (wirelag::known(since) && since < kMirrorCopyNs) return i;
  }
  return kNone;
}

DnsQueryTable::Index DnsQueryTable::query_repeated_by(const KeyEntries& known,
                                                      const DnsSighting& seen,
                                                      const DnsMessage& message) const {
  for (const Index i : known) {
    const Entry& entry = entries_[i];
    if (entry.stage == Stage::waiting && seen.time_ns - entry.first_ns <= query_timeout_ns_ &&
        same_question(entry, message)) {
      return i;
    }
  }
  return kNone;
}

DnsQueryTable::Index DnsQueryTable::response_waiting_for(const KeyEntries& known,
                                                         const DnsSighting& seen,
                                                         const DnsMessage& message) const {
  for (const Index i : known) {
    const Entry& entry = entries_[i];
    if (entry.stage == Stage::query_missing && !entry.unasked() && seen.time_ns <= entry.first_ns &&
        same_question(entry, message)) {
      return i;
    }
  }
  return kNone;
}

/// The newest open query with the response's question, of those sent before it: an older one has been
/// waiting for more than a query timeout when that was sent. Without one, the oldest whose question may be
/// the same.
DnsQueryTable::Index DnsQueryTable::query_answered_by(const KeyEntries& known,
                                                      const DnsSighting& seen,
                                                      const DnsMessage& message) const {
  Index same = kNone;
  Index similar = kNone;
  for (const Index i : known) {
    const Entry& entry = entries_[i];
    if (entry.stage != Stage::waiting) continue;
    if (same_question(entry, message)) {
      if (same == kNone || entry.first_ns <= seen.time_ns) same = i;
    } else if (similar == kNone && may_be_same_question(entry, message)) {
      similar = i;
    }
  }
  return same != kNone ? same : similar;
}

/// Of the queries the response may be a second answer to, the one answered last.
DnsQueryTable::Index DnsQueryTable::answer_repeated_by(const KeyEntries& known,
                                                       const DnsMessage& message) const {
  Index last = kNone;
  TimeNs last_ns = 0;
  for (const Index i : known) {
    const Entry& entry = entries_[i];
    if (entry.stage != Stage::answered) continue;
    if (message.has_question && !may_be_same_question(entry, message)) continue;
    const TimeNs response_ns = answers_[entry.side].response_ns;
    if (last == kNone || response_ns >= last_ns) {
      last = i;
      last_ns = response_ns;
    }
  }
  return last;
}

}  // namespace wirelag
