// One connection's handshake as it unfolds: the two sides' records and hellos go in, the
// transaction with its times comes out. Knows what a record means at its place; RecordReader knows
// where it is. The rules for the times are in the tracker's header.
#pragma once

#include <array>

#include <wirelag/track/transaction.hpp>

#include "hello.hpp"
#include "record_reader.hpp"

namespace wirelag::tls {

class Handshake {
 public:
  void open(const StreamContext& context);

  /// A hello's bytes are there. An empty body is one that could not be put together.
  void on_hello(Direction direction, const RecordReader& reader);
  void on_message(Direction direction, const RecordReader& reader);
  void on_record_begins(Direction direction, const RecordReader& reader);
  void on_record_ends(Direction direction, const RecordReader& reader);
  /// The snaplen or a hole hides where the next record of this side begins: what ends from here on may have
  /// ended in what is hidden.
  void on_place_lost(Direction direction);
  /// For the events that follow: bytes of the other side are missing, or wait behind some that are.
  void set_other_behind(bool behind) { other_behind_ = behind; }

  /// Nothing that is still to come can add anything.
  [[nodiscard]] bool over() const { return over_; }
  /// What over() ended on was not TLS.
  [[nodiscard]] bool malformed() const { return malformed_; }
  /// At least one hello was seen whole.
  [[nodiscard]] bool worth_telling() const {
    return known(transaction_.client_hello_ns) || known(transaction_.server_hello_ns);
  }
  /// Handshake records of this side are encrypted from here on.
  [[nodiscard]] bool encrypted(Direction direction) const { return encrypted_[direction]; }

  [[nodiscard]] std::string_view sni() const { return {sni_.data(), sni_size_}; }
  /// The transaction as far as it went; its views point into this object.
  [[nodiscard]] TlsHandshake told() const;

 private:
  enum class Hello : std::uint8_t { none, client, server, retry };

  void on_client_hello(Direction direction, const ClientHello& hello);
  void on_server_hello(Direction direction, const ServerHello& hello);
  void on_retry(Direction direction);
  void note_retry();
  void settle_early_data(bool key_taken);
  void refuse_early_data();
  void on_ssl2_hello(Direction direction, Bytes record);
  void complete_hello(Hello hello, const Extent& extent);
  void on_change_cipher_spec(Direction direction, const RecordReader& reader);
  void on_alert(Direction direction, const RecordReader& reader);
  void count_flight(Direction direction);
  void on_data_begins(Direction direction, TimeNs time_ns);
  void on_client_data_begins_tls13(TimeNs time_ns);
  void on_data_of_unknown_version(Direction direction, TimeNs time_ns);
  void on_data_ends_tls13(Direction direction, const RecordReader& reader);
  void look_whether_over();
  void on_server_data_begins_tls13(TimeNs time_ns);
  [[nodiscard]] TriState hello_retry() const;
  [[nodiscard]] bool may_be_second_hello() const;
  [[nodiscard]] bool offers_early_data() const {
    return transaction_.early_data_offered == TriState::yes;
  }
  [[nodiscard]] TimeNs seen_surely_at(Direction direction, TimeNs time_ns) const;
  [[nodiscard]] bool older_than_tls13() const;
  /// Of the server's flight, however late it is handed over.
  [[nodiscard]] bool before_client_flight(TimeNs time_ns) const {
    return !client_flight_began_ || (known(time_ns) && time_ns < client_flight_ns_);
  }

  [[nodiscard]] bool is_client(Direction direction) const { return direction == client_; }
  TimeNs& finished(Direction direction) {
    return is_client(direction) ? transaction_.client_finished_ns : transaction_.server_finished_ns;
  }
  TimeNs& first_data(Direction direction) {
    return is_client(direction) ? transaction_.first_client_data_ns
                                : transaction_.first_server_data_ns;
  }

  TlsHandshake transaction_;
  Direction client_ = Direction::c2s;  ///< who sent, or must have sent, the ClientHello
  bool roles_known_ = false;
  bool client_hello_seen_ = false;
  bool server_hello_seen_ = false;
  bool certificates_shown_ = false;   ///< or other messages of a full handshake (TLS 1.2 and older)
  bool client_flight_began_ = false;  ///< TLS 1.3: the client answered the server's flight
  bool flights_in_order_ = true;      ///< no hole, no record before its time: they can be counted
  bool client_ready_ = false;         ///< the client sends data, or waits for nothing more
  bool client_spoke_last_ = false;    ///< the latest handshake record is the client's
  std::uint8_t server_flights_ = 0;   ///< that followed one of the client's
  bool over_ = false;
  bool malformed_ = false;
  PerDirection<bool> encrypted_;
  PerDirection<bool> data_seen_;
  PerDirection<bool> place_lost_;
  PerDirection<bool> record_behind_hole_;  ///< the one that is being read
  PerDirection<Hello> hello_in_record_;    ///< waits for its record's end
  bool other_behind_ = false;
  PerDirection<bool> begin_seen_;  ///< of the connection
  bool client_hello_is_first_ = false;
  bool server_hello_is_first_ = false;  ///< no HelloRetryRequest came before it
  TimeNs client_flight_ns_ =
      kUnknownNs;                      ///< TLS 1.3: of its first record, with client_flight_began_
  TimeNs early_data_ns_ = kUnknownNs;  ///< the client's first data before any ServerHello
  TimeNs latest_record_ns_ = kUnknownNs;
  TimeNs server_flight_ns_ = kUnknownNs;  ///< TLS 1.3: end of the server's last encrypted record

  std::uint8_t sni_size_ = 0;
  std::uint8_t alpn_size_ = 0;
  std::uint8_t alpn_offered_size_ = 0;
  std::array<char, 255> sni_;  // RFC 1035 section 3.1: no longer host name exists
  std::array<char, 48> alpn_;
  std::array<char, 96> alpn_offered_;
};

}  // namespace wirelag::tls
