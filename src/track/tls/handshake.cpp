#include "handshake.hpp"

#include <algorithm>
#include <utility>

namespace wirelag::tls {
namespace {

/// Seen in a frame without a time: as good as a time while the handshake is followed, unknown when it is told.
constexpr TimeNs kSeenWithoutTimeNs = kUnknownNs + 1;

TimeNs seen_at(TimeNs time) { return known(time) ? time : kSeenWithoutTimeNs; }
TimeNs told_time(TimeNs time) { return time == kSeenWithoutTimeNs ? kUnknownNs : time; }

void set_if_unknown(TimeNs& time, TimeNs value) {
  if (!known(time)) time = value;
}

/// Behind the end of a hello that was cut more may have been offered.
TriState shown(bool seen, bool cut) {
  if (seen) return TriState::yes;
  return cut ? TriState::unknown : TriState::no;
}

/// A name that does not fit is left out whole.
template <std::size_t N>
std::uint8_t copy_name(Bytes name, std::array<char, N>& out) {
  if (name.size() > N) return 0;
  std::ranges::copy(as_text(name), out.begin());
  return static_cast<std::uint8_t>(name.size());
}

/// The names joined by commas, as many as fit.
template <std::size_t N>
std::uint8_t copy_alpn(Bytes names, std::array<char, N>& out) {
  std::size_t size = 0;
  for_each_alpn(names, [&](std::string_view name) {
    const std::size_t comma = size > 0 ? 1 : 0;
    if (size + comma + name.size() > N) return false;
    if (comma > 0) out[size++] = ',';
    std::ranges::copy(name, out.begin() + static_cast<std::ptrdiff_t>(size));
    size += name.size();
    return true;
  });
  return static_cast<std::uint8_t>(size);
}

}  // namespace

void Handshake::open(const StreamContext& context) {
  transaction_.connection = context.connection;
  transaction_.client = context.client;
  transaction_.server = context.server;
  begin_seen_ = {context.syn_seen, context.syn_ack_seen};
}

// ------------------------------------------------------------------------------------- hellos

void Handshake::on_hello(Direction direction, const RecordReader& reader) {
  switch (reader.message_type()) {
    case MessageType::client_hello:
      on_client_hello(direction, parse_client_hello(reader.body(), reader.body_cut()));
      // Only the records of the first may be of an earlier version (RFC 8446 section 5.1).
      client_hello_is_first_ |= is_client(direction) && reader.record_version() < kTls12;
      break;
    case MessageType::server_hello:
      if (reader.body_cut() && reader.body().size() < kTellingServerHello) break;
      on_server_hello(direction, parse_server_hello(reader.body(), reader.body_cut()));
      break;
    case MessageType::hello_retry_request: on_retry(direction); break;
    case MessageType::ssl2: on_ssl2_hello(direction, reader.body()); break;
    default: break;
  }
}

void Handshake::on_client_hello(Direction direction, const ClientHello& hello) {
  if (!roles_known_) client_ = direction;
  roles_known_ = true;
  if (!is_client(direction)) return;
  if (client_hello_seen_) {
    client_hello_is_first_ = true;
    if (!older_than_tls13()) note_retry();
    return;
  }
  client_hello_seen_ = true;
  client_hello_is_first_ = begin_seen_[direction] && !record_behind_hole_[direction];
  hello_in_record_[direction] = Hello::client;
  transaction_.client_version = hello.version;
  const bool cut = hello.version == 0;
  transaction_.psk_offered = shown(hello.psk_offered, cut);
  transaction_.early_data_offered = shown(hello.early_data_offered, cut);
  transaction_.ech_offered = shown(hello.ech_offered, cut);
  sni_size_ = copy_name(hello.sni, sni_);
  alpn_offered_size_ = copy_alpn(hello.alpn, alpn_offered_);
}

void Handshake::on_server_hello(Direction direction, const ServerHello& hello) {
  if (hello.retry) {
    on_retry(direction);
    return;
  }
  if (!roles_known_) client_ = reverse(direction);
  roles_known_ = true;
  if (server_hello_seen_ || is_client(direction)) return;
  server_hello_seen_ = true;
  server_hello_is_first_ = begin_seen_[direction] && !record_behind_hole_[direction];
  hello_in_record_[direction] = Hello::server;
  transaction_.version = hello.version;
  transaction_.cipher = hello.cipher;
  const bool psk_hidden = hello.cut && !hello.psk_selected;
  if (is_tls13(hello.version) && !psk_hidden)
    transaction_.resumed = hello.psk_selected ? TriState::yes : TriState::no;
  if (!psk_hidden) settle_early_data(is_tls13(hello.version) && hello.psk_selected);
  const bool client_hello_cut = client_hello_seen_ && transaction_.client_version == 0;
  // It may have been 0-RTT data that the server took.
  if (client_hello_cut && known(early_data_ns_)) {
    set_if_unknown(transaction_.first_client_data_ns, kSeenWithoutTimeNs);
  }
  alpn_size_ = copy_alpn(hello.alpn, alpn_);
}

/// What the choice of the offered key says about the 0-RTT data before it.
void Handshake::settle_early_data(bool key_taken) {
  if (!key_taken) {
    refuse_early_data();
  } else if (offers_early_data() && transaction_.hello_retry != TriState::yes) {
    set_if_unknown(transaction_.first_client_data_ns, early_data_ns_);
  }
}

void Handshake::on_retry(Direction direction) {
  if (!roles_known_) client_ = reverse(direction);
  roles_known_ = true;
  if (server_hello_seen_ || transaction_.hello_retry_frame != 0 || is_client(direction)) return;
  hello_in_record_[direction] = Hello::retry;
  note_retry();
}

void Handshake::note_retry() {
  transaction_.hello_retry = TriState::yes;
  refuse_early_data();
  // A ChangeCipherSpec of the compatibility mode came or comes before a hello in clear text.
  encrypted_ = {};
}

/// Early data needs the key that was offered, and none other (RFC 8446 section 4.2.10): the server
/// has thrown away what came.
void Handshake::refuse_early_data() {
  if (!offers_early_data()) return;
  transaction_.early_data_accepted = TriState::no;
  transaction_.first_client_data_ns = kUnknownNs;
}

void Handshake::on_ssl2_hello(Direction direction, Bytes record) {
  if (const auto hello = parse_ssl2_client_hello(record)) {
    on_client_hello(direction, *hello);
  } else if (is_ssl2_server_hello(record)) {
    on_server_hello(direction, ServerHello{.version = kSsl2});
  } else {
    over_ = malformed_ = true;
  }
}

void Handshake::complete_hello(Hello hello, const Extent& extent) {
  switch (hello) {
    case Hello::none: break;
    case Hello::client:
      transaction_.client_hello_frames = extent.frames;
      transaction_.client_hello_ns = seen_at(extent.last_ns);
      break;
    case Hello::server:
      transaction_.server_hello_frames = extent.frames;
      transaction_.server_hello_ns = seen_at(extent.last_ns);
      over_ = transaction_.version == kSsl2;  // its records tell nothing
      break;
    case Hello::retry: transaction_.hello_retry_frame = extent.frames.last; break;
  }
}

// ------------------------------------------------------------------------------------ flights

void Handshake::on_message(Direction direction, const RecordReader& reader) {
  if (!roles_known_ || is_client(direction)) return;
  switch (reader.message_type()) {
    case MessageType::certificate:
      if (transaction_.certificate_bytes == 0)
        transaction_.certificate_bytes = reader.message_length();
      certificates_shown_ = true;
      if (server_hello_seen_) transaction_.resumed = TriState::no;
      break;
    case MessageType::server_key_exchange:
    case MessageType::certificate_request:
    case MessageType::server_hello_done: certificates_shown_ = true; break;
    default: break;
  }
}

void Handshake::on_record_begins(Direction direction, const RecordReader& reader) {
  record_behind_hole_[direction] = reader.had_hole();
  if (reader.had_hole() || reader.record().first_ns < latest_record_ns_) flights_in_order_ = false;
  latest_record_ns_ = reader.record().first_ns;
  if (reader.record_type() != RecordType::application_data) return;
  on_data_begins(direction, seen_at(reader.record().first_ns));
  look_whether_over();
}

/// For certain: chosen by the server, or, while that is not known, the most the client offered. Else
/// a record behind a ChangeCipherSpec may be the second ClientHello of TLS 1.3.
bool Handshake::older_than_tls13() const {
  const TlsHandshake& t = transaction_;
  const std::uint16_t version = t.version != 0 ? t.version : t.client_version;
  return version != 0 && !is_tls13(version);
}

/// A round trip: a flight of the server's after one of the client's, until the client may send.
void Handshake::count_flight(Direction direction) {
  const TlsHandshake& t = transaction_;
  if (client_flight_began_ || (known(t.client_finished_ns) && known(t.server_finished_ns)) ||
      (known(t.first_client_data_ns) && !offers_early_data())) {
    client_ready_ = true;
  }
  if (client_ready_ || !roles_known_) return;
  if (!is_client(direction) && client_spoke_last_ && server_flights_ < UINT8_MAX) {
    ++server_flights_;
  }
  client_spoke_last_ = is_client(direction);
}

void Handshake::on_place_lost(Direction direction) {
  place_lost_[direction] = true;
  if (!is_client(direction) && known(server_flight_ns_)) server_flight_ns_ = kSeenWithoutTimeNs;
}

/// What the time of something is worth that may have come before, hidden.
TimeNs Handshake::seen_surely_at(Direction direction, TimeNs time_ns) const {
  return place_lost_[direction] || !known(time_ns) ? kSeenWithoutTimeNs : time_ns;
}

void Handshake::on_record_ends(Direction direction, const RecordReader& reader) {
  const TimeNs time_ns = seen_surely_at(direction, reader.record().last_ns);
  if (reader.record_type() != RecordType::alert) count_flight(direction);
  switch (reader.record_type()) {
    case RecordType::handshake:
      complete_hello(hello_in_record_[direction], reader.hello());
      hello_in_record_[direction] = Hello::none;
      if (encrypted_[direction] && older_than_tls13()) {
        set_if_unknown(finished(direction), time_ns);
      }
      break;
    case RecordType::change_cipher_spec: on_change_cipher_spec(direction, reader); break;
    case RecordType::application_data:
      if (is_tls13(transaction_.version)) on_data_ends_tls13(direction, reader);
      break;
    case RecordType::alert: on_alert(direction, reader); break;
    default: break;
  }
  look_whether_over();
}

void Handshake::on_change_cipher_spec(Direction direction, const RecordReader& reader) {
  if (is_tls13(transaction_.version)) return;  // compatibility mode: it means nothing
  if (transaction_.hello_retry == TriState::yes && !server_hello_seen_) return;
  encrypted_[direction] = true;
  if (older_than_tls13()) place_lost_[direction] = false;  // all that has a time is still to come
  if (!roles_known_ || is_client(direction) || !server_hello_seen_) return;
  if (certificates_shown_) {
    transaction_.resumed = TriState::no;
  } else if (!reader.had_hole()) {
    transaction_.resumed = TriState::yes;
  }
}

void Handshake::on_alert(Direction direction, const RecordReader& reader) {
  constexpr std::uint8_t kFatal = 2;
  const std::uint8_t* alert = reader.alert();
  if (alert == nullptr || alert[0] != kFatal || !roles_known_ || transaction_.complete()) return;
  transaction_.alert_frame = reader.record().frames.last;
  transaction_.alert = alert[1];
  transaction_.alert_by_client = is_client(direction);
  over_ = true;
}

void Handshake::on_data_begins(Direction direction, TimeNs time_ns) {
  data_seen_[direction] = true;
  if (place_lost_[direction]) time_ns = kSeenWithoutTimeNs;
  if (!roles_known_) {
    over_ = true;  // midstream: the handshake is past
  } else if (transaction_.version == 0) {
    on_data_of_unknown_version(direction, time_ns);
  } else if (!is_tls13(transaction_.version)) {
    set_if_unknown(first_data(direction), time_ns);
  } else if (is_client(direction)) {
    on_client_data_begins_tls13(time_ns);
  } else {
    on_server_data_begins_tls13(time_ns);
  }
}

/// Behind an unseen flight of the client's what looks like the server's may be data.
void Handshake::on_server_data_begins_tls13(TimeNs time_ns) {
  if (!before_client_flight(time_ns)) {
    const bool sure = client_flight_ns_ != kSeenWithoutTimeNs;
    set_if_unknown(transaction_.first_server_data_ns, sure ? time_ns : kSeenWithoutTimeNs);
  } else if (!client_flight_began_ && other_behind_ && known(server_flight_ns_)) {
    set_if_unknown(transaction_.first_server_data_ns, kSeenWithoutTimeNs);
  }
}

void Handshake::on_client_data_begins_tls13(TimeNs time_ns) {
  const bool may_be_early = offers_early_data() || !client_hello_seen_;
  const bool flight_hidden = other_behind_ || server_flight_ns_ == kSeenWithoutTimeNs;
  const bool early = !known(server_flight_ns_) || time_ns < server_flight_ns_ || flight_hidden;
  if (may_be_early && early && (!client_hello_seen_ || flight_hidden)) {
    place_lost_[client_] = true;  // 0-RTT data or the client's flight: nobody can tell
    set_if_unknown(transaction_.first_client_data_ns, kSeenWithoutTimeNs);
  } else if (may_be_early && early) {
    if (transaction_.early_data_accepted != TriState::no)
      set_if_unknown(transaction_.first_client_data_ns, time_ns);
  } else if (known(transaction_.client_finished_ns)) {
    set_if_unknown(transaction_.first_client_data_ns, time_ns);
  } else if (!client_flight_began_) {
    const bool hidden = other_behind_ || time_ns == kSeenWithoutTimeNs;
    client_flight_began_ = true;
    client_flight_ns_ = time_ns;
    transaction_.server_finished_ns = hidden ? kSeenWithoutTimeNs : server_flight_ns_;
  }
}

void Handshake::on_data_of_unknown_version(Direction direction, TimeNs time_ns) {
  if (known(finished(direction))) set_if_unknown(first_data(direction), time_ns);
  if (is_client(direction) && other_behind_) {  // the ServerHello may wait behind a hole
    place_lost_[direction] = true;
    time_ns = kSeenWithoutTimeNs;
  }
  // 0-RTT data: the client's first when the ServerHello does not refuse it.
  early_data_ns_ = known(early_data_ns_) || !is_client(direction) ? early_data_ns_ : time_ns;
  over_ = data_seen_.c2s && data_seen_.s2c;  // the ServerHello was lost: nothing tells more
}

void Handshake::on_data_ends_tls13(Direction direction, const RecordReader& reader) {
  if (!is_client(direction)) {
    const TimeNs time_ns = seen_at(reader.record().last_ns);
    if (!before_client_flight(time_ns)) return;
    place_lost_[direction] = false;  // it is in step again
    (client_flight_began_ ? transaction_.server_finished_ns : server_flight_ns_) =
        other_behind_ && !client_flight_began_ ? kSeenWithoutTimeNs : time_ns;
  } else if (client_flight_began_ &&
             reader.record_length() >= shortest_finished_record(transaction_.cipher)) {
    set_if_unknown(transaction_.client_finished_ns,
                   seen_surely_at(direction, reader.record().last_ns));
  }
}

void Handshake::look_whether_over() {
  if (!known(transaction_.first_client_data_ns) || !known(transaction_.first_server_data_ns))
    return;
  over_ = over_ || !is_tls13(transaction_.version) || known(transaction_.client_finished_ns);
}

TriState Handshake::hello_retry() const {
  if (transaction_.hello_retry_frame != 0) return TriState::yes;
  if (older_than_tls13()) return TriState::no;
  if (transaction_.hello_retry == TriState::yes) return TriState::yes;
  return server_hello_is_first_ ? TriState::no : TriState::unknown;
}

/// The time of a handshake begins with the first ClientHello.
bool Handshake::may_be_second_hello() const {
  return !client_hello_is_first_ && hello_retry() != TriState::no;
}

TlsHandshake Handshake::told() const {
  TlsHandshake told = transaction_;
  told.hello_retry = hello_retry();
  if (may_be_second_hello()) {
    told.client_hello_ns = kUnknownNs;
    // The second one leaves out 0-RTT, and keys that do not fit (RFC 8446 section 4.1.2).
    if (told.early_data_offered == TriState::no) told.early_data_offered = TriState::unknown;
    if (told.psk_offered == TriState::no) told.psk_offered = TriState::unknown;
  }
  if (client_ == Direction::s2c) std::swap(told.client, told.server);
  // In a full handshake before TLS 1.3 the server's Finished comes last (RFC 5246 section 7.3).
  const bool client_is_last = is_tls13(told.version) || told.resumed == TriState::yes;
  const bool finished =
      known(told.client_finished_ns) && (client_is_last || known(told.server_finished_ns));
  const bool may_send = known(told.first_client_data_ns) || finished;
  const bool counted = flights_in_order_ && client_hello_seen_ && server_hello_seen_ && may_send;
  told.round_trips = counted ? server_flights_ : 0;
  told.last_flights_seen = told.complete();
  for (TimeNs* const time :
       {&told.client_hello_ns, &told.server_hello_ns, &told.client_finished_ns,
        &told.server_finished_ns, &told.first_client_data_ns, &told.first_server_data_ns}) {
    *time = told_time(*time);
  }
  told.sni = sni();
  told.alpn = {alpn_.data(), alpn_size_};
  told.alpn_offered = {alpn_offered_.data(), alpn_offered_size_};
  return told;
}

}  // namespace wirelag::tls
