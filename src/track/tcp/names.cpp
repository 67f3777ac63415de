// Names of the TCP enumerators as reports and logs spell them.
#include <wirelag/track/transaction.hpp>

namespace wirelag {

std::string_view name(RetransmissionClass c) {
  static constexpr std::string_view kNames[] = {
#define X(symbol, meaning) #symbol,
      WIRELAG_RETRANSMISSIONS(X)
#undef X
  };
  return kNames[static_cast<std::size_t>(c)];
}

std::string_view name(ConnectionState s) {
  switch (s) {
    case ConnectionState::complete: return "complete";
    case ConnectionState::synack_no_ack: return "synack_no_ack";
    case ConnectionState::refused: return "refused";
    case ConnectionState::syn_unanswered: return "syn_unanswered";
    case ConnectionState::syn_no_synack: return "syn_no_synack";
    case ConnectionState::simultaneous_open: return "simultaneous_open";
    case ConnectionState::no_syn_seen: return "no_syn_seen";
    case ConnectionState::midstream: return "midstream";
  }
  return "";
}

std::string_view name(CloseKind c) {
  switch (c) {
    case CloseKind::open: return "open";
    case CloseKind::fin_client: return "fin_client";
    case CloseKind::fin_server: return "fin_server";
    case CloseKind::fin_both: return "fin_both";
    case CloseKind::rst: return "rst";
  }
  return "";
}

std::string_view name(ClientBasis b) {
  switch (b) {
    case ClientBasis::syn: return "syn";
    case ClientBasis::synack: return "synack";
    case ClientBasis::protocol: return "protocol";
    case ClientBasis::port: return "port";
    case ClientBasis::first_packet: return "first_packet";
  }
  return "";
}

std::string_view name(ConnectionEnd e) {
  switch (e) {
    case ConnectionEnd::capture_end: return "capture_end";
    case ConnectionEnd::port_reused: return "port_reused";
    case ConnectionEnd::idle_timeout: return "idle_timeout";
    case ConnectionEnd::closed: return "closed";
    case ConnectionEnd::evicted: return "evicted";
  }
  return "";
}

}  // namespace wirelag
