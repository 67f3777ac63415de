// The signatures: which first bytes mean which protocol. One line per shape, in order of
// precedence: when several match, the first one counts. A line whose protocol is `unknown` takes a
// look-alike out before a later line can claim it.
//
// A signature sees at most kSignatureBytes and may see fewer, so it asks for as little as tells the
// protocol apart: the longest lines below need 24 bytes. Patterns are Hyperscan's (PCRE without
// look-around), matched with DOTALL; every one starts with ^.
#pragma once

#include <wirelag/classify/classifier.hpp>
#include <wirelag/classify/protocol.hpp>
#include <wirelag/decode/packet.hpp>

namespace wirelag {

struct Signature {
  Transport transport;
  Protocol protocol;
  Speaker speaker;  ///< client or server where no peer of the other role sends it
  const char* pattern;
};

// RFC 9110 section 9.3, RFC 5789; WebDAV: RFC 4918, 3253, 3648, 3744, 5323, 5842, 4437, 4791;
// RFC 2068 (LINK, UNLINK); UPnP; caches (PURGE, BAN); Exchange and RPC over HTTP ([MS-RPCH]).
#define WIRELAG_HTTP_METHODS                                                                 \
  "(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|PATCH|QUERY"                                    \
  "|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|SEARCH|ACL|ORDERPATCH|BIND|REBIND|UNBIND" \
  "|VERSION-CONTROL|REPORT|CHECKOUT|CHECKIN|UNCHECKOUT|MKWORKSPACE|UPDATE|LABEL|MERGE"       \
  "|BASELINE-CONTROL|MKACTIVITY|MKREDIRECTREF|UPDATEREDIRECTREF|MKCALENDAR|LINK|UNLINK"      \
  "|M-SEARCH|NOTIFY|SUBSCRIBE|UNSUBSCRIBE|PURGE|BAN|POLL|BCOPY|BDELETE|BMOVE|BPROPFIND"      \
  "|BPROPPATCH|BITS_POST|CCM_POST|SSTP_DUPLEX_POST|RPC_IN_DATA|RPC_OUT_DATA)"

// A server ignores empty lines before a request line (RFC 9112 section 2.2).
#define WIRELAG_EMPTY_LINES "^(?:\\r?\\n){0,4}"

// A DNS header from its flags on (RFC 1035 section 4.1.1): opcode 0, the reserved bit 0, a known
// rcode, one question; a query has no answers, at most one authority record (IXFR, RFC 1995) and
// few additional ones; then the question: the root with a type, or a first label of at most 63
// bytes that starts with something visible.
#define WIRELAG_DNS_NAME "(?:\\x00\\x00[\\x01-\\xff]\\x00|[\\x01-\\x3f][^\\x00-\\x20\\x7f])"
#define WIRELAG_DNS_QUERY                                                                        \
  "[\\x00-\\x07][\\x00\\x10\\x20\\x30\\x80\\x90\\xa0\\xb0]\\x00\\x01\\x00\\x00\\x00[\\x00\\x01]" \
  "\\x00[\\x00-\\x03]" WIRELAG_DNS_NAME
#define WIRELAG_DNS_RESPONSE                                                                    \
  "[\\x80-\\x87][\\x00-\\x0b\\x10-\\x1b\\x20-\\x2b\\x30-\\x3b\\x80-\\x8b\\x90-\\x9b\\xa0-\\xab" \
  "\\xb0-\\xbb]\\x00\\x01[\\x00-\\x0f].\\x00.\\x00." WIRELAG_DNS_NAME

inline constexpr Signature kSignatures[] = {
    // --- HTTP/2 in clear text: the client's preface, RFC 9113 section 3.4
    {Transport::tcp, Protocol::http2, Speaker::client, "^PRI \\* HTTP/2\\.0\\r\\n"},

    // --- HTTP/1: a known method and a target that cannot be another protocol's (SIP, RTSP, ICAP
    // and Redis use the same words), with or without the version in sight
    {Transport::tcp, Protocol::http1, Speaker::client,
     WIRELAG_EMPTY_LINES WIRELAG_HTTP_METHODS
     "(?: {1,8}(?:[/*]|(?i:https?|wss?|ftp)://|HTTP/[01]\\.)| {9})"},
    {Transport::tcp, Protocol::http1, Speaker::client,
     WIRELAG_EMPTY_LINES "CONNECT {1,8}(?:[A-Za-z0-9._-]{1,64}|\\[[0-9a-fA-F:.]{2,46}\\]):[0-9]"},
    {Transport::tcp, Protocol::http1, Speaker::client,
     WIRELAG_EMPTY_LINES "CONNECT {1,8}[A-Za-z0-9._-]{32}"},
    // any method, with the version in sight (method = token, RFC 9110 section 5.6.2)
    {Transport::tcp, Protocol::http1, Speaker::client,
     WIRELAG_EMPTY_LINES
     "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} {1,8}[^\\x00-\\x20\\x7f][^\\x00-\\x1f\\x7f]{0,60}"
     " HTTP/[01]\\.[0-9]"},
    // a method of its own making and a target too long to see the version
    {Transport::tcp, Protocol::http1, Speaker::client,
     WIRELAG_EMPTY_LINES "[A-Z][A-Z_-]{2,31} /[!-~]{24}"},
    // status line, RFC 9112 section 4; SHOUTcast answers "ICY 200 OK"
    {Transport::tcp, Protocol::http1, Speaker::server, "^HTTP/[01]\\.[0-9] {1,8}[1-9][0-9]{2}"},
    {Transport::tcp, Protocol::http1, Speaker::server, "^ICY [1-9][0-9]{2}"},

    // --- TLS: a record (RFC 8446 section 5.1) of less than 2^14 + 2048 bytes. A hello: its length
    // fits 16 bits, or the record ends after one byte and the next one begins.
    {Transport::tcp, Protocol::tls, Speaker::client,
     "^\\x16\\x03[\\x00-\\x04][\\x00-\\x47].\\x01[\\x00\\x16]"},
    {Transport::tcp, Protocol::tls, Speaker::server,
     "^\\x16\\x03[\\x00-\\x04][\\x00-\\x47].\\x02[\\x00\\x16]"},
    // midstream: the other cleartext handshake messages, ChangeCipherSpec, alert (in clear text or
    // encrypted), application data
    {Transport::tcp, Protocol::tls, Speaker::either,
     "^\\x16\\x03[\\x00-\\x03][\\x00-\\x47].[\\x00\\x04\\x0b-\\x10\\x14\\x16][\\x00\\x01]."},
    {Transport::tcp, Protocol::tls, Speaker::either, "^\\x14\\x03[\\x00-\\x03]\\x00\\x01\\x01"},
    {Transport::tcp, Protocol::tls, Speaker::either,
     "^\\x15\\x03[\\x00-\\x03]\\x00(?:\\x02[\\x01\\x02]|[\\x12-\\x60])"},
    {Transport::tcp, Protocol::tls, Speaker::either,
     "^\\x17\\x03[\\x01-\\x03](?:\\x00[\\x11-\\xff]|[\\x01-\\x47].)"},
    // SSL 2 ClientHello: 15-bit length, type 1, version, lengths of the ciphers, of the session id
    // (0 or 16) and of the challenge (16 to 32), RFC 6101 appendix E
    {Transport::tcp, Protocol::tls, Speaker::client,
     "^[\\x80-\\xbf].\\x01(?:\\x00\\x02|\\x03[\\x00-\\x03])[\\x00-\\x0f].\\x00[\\x00\\x10]"
     "\\x00[\\x10-\\x20]"},

    // --- DNS over TCP: a length of at least a header and a question (RFC 7766 section 8)
    {Transport::tcp, Protocol::dns, Speaker::client,
     "^(?:\\x00[\\x11-\\xff]|[\\x01-\\xff].).." WIRELAG_DNS_QUERY},
    {Transport::tcp, Protocol::dns, Speaker::server,
     "^(?:\\x00[\\x11-\\xff]|[\\x01-\\xff].).." WIRELAG_DNS_RESPONSE},

    // --- Redis: an array of strings whose first one is a command, which a master sends to its replica, too;
    // the inline commands that no other client has alone on a line (a server of NATS has)
    {Transport::tcp, Protocol::redis, Speaker::either,
     "^\\*[1-9][0-9]{0,6}\\r\\n\\$[1-9][0-9]{0,2}\\r\\n[A-Za-z]"},
    {Transport::tcp, Protocol::redis, Speaker::client,
     "^(?:PING|INFO|DBSIZE|MONITOR|MULTI)\\r?\\n"},

    // --- memcached: commands are lower case, with a key that is no path (HTTP/0.9 typed by hand), or
    // alone on a line; storage commands have
    // three numbers behind the key, which may be too long to see them
    {Transport::tcp, Protocol::memcached, Speaker::client,
     "^(?:set|add|replace|append|prepend|cas) (?:[!-~]{1,40} [0-9]{1,10} -?[0-9]|[!-~]{48})"},
    {Transport::tcp, Protocol::memcached, Speaker::client,
     "^(?:gets?|delete|touch|incr|decr|gats?) [!-.0-~]"},
    {Transport::tcp, Protocol::memcached, Speaker::client,
     "^(?:version|stats|flush_all|mn)\\r?\\n"},
    {Transport::tcp, Protocol::memcached, Speaker::client, "^stats [a-z]{1,20}\\r?\\n"},
    {Transport::tcp, Protocol::memcached, Speaker::client, "^m[gsda] [!-~]{1,60}[ \\r]"},
    // binary: a request's header: command, key of at most 250 bytes, the extras of that command, data type 0,
    // a body of less than 2 MiB. Commands that store have 8 bytes of extras, those that count 20, those that
    // touch 4, flushing 4 or none.
    {Transport::tcp, Protocol::memcached, Speaker::client,
     "^\\x80(?:[\\x00\\x04\\x07\\x09-\\x10\\x14\\x17\\x19\\x1a\\x20-\\x22]\\x00.\\x00"
     "|[\\x01-\\x03\\x11-\\x13]\\x00.\\x08|[\\x05\\x06\\x15\\x16]\\x00.\\x14"
     "|[\\x1b-\\x1e\\x23\\x24]\\x00.\\x04|[\\x08\\x18]\\x00\\x00[\\x00\\x04])"
     "\\x00..\\x00[\\x00-\\x1f]"},

    // --- PostgreSQL: a startup packet of version 3 with its first parameter; requests for
    // encryption (SSL, GSSAPI) and to cancel
    {Transport::tcp, Protocol::postgres, Speaker::client,
     "^\\x00\\x00[\\x00-\\x27].\\x00\\x03\\x00[\\x00-\\x02][a-z_]{4,32}\\x00"},
    {Transport::tcp, Protocol::postgres, Speaker::client,
     "^\\x00\\x00\\x00\\x08\\x04\\xd2\\x16[\\x2f\\x30]"},
    {Transport::tcp, Protocol::postgres, Speaker::client,
     "^\\x00\\x00\\x00\\x10\\x04\\xd2\\x16\\x2e"},
    // midstream: a query, or a statement to be prepared, that begins with a word of SQL
    {Transport::tcp, Protocol::postgres, Speaker::client,
     "^(?:Q\\x00[\\x00-\\x0f]..|P\\x00[\\x00-\\x0f]..[!-~]{0,32}\\x00)"
     "(?i:select|insert|update|delete|begin|commit|rollback|set|show|with|create|copy|start)[ "
     ";\\x00]"},
    // midstream: a named statement's values bound to the unnamed portal, and the answer to that with the
    // next message: a row, its description, none, the end or an error
    {Transport::tcp, Protocol::postgres, Speaker::client,
     "^B\\x00[\\x00-\\x0f]..\\x00(?:[!-~]{1,17}\\x00\\x00|[!-~]{18})"},
    {Transport::tcp, Protocol::postgres, Speaker::server,
     "^2\\x00\\x00\\x00\\x04[CDEInT]\\x00[\\x00-\\x0f]"},

    // --- MySQL: the server speaks first: packet 0, protocol version 10, its version as text
    {Transport::tcp, Protocol::mysql, Speaker::server,
     "^[\\x20-\\xff]\\x00\\x00\\x00\\x0a[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]"},
    // midstream: a query, or a statement to be prepared, that begins with a word of SQL
    {Transport::tcp, Protocol::mysql, Speaker::client,
     "^..[\\x00-\\x0f]\\x00[\\x03\\x16](?:\\x00\\x01)?"
     "(?i:select|insert|update|delete|begin|commit|rollback|set|show|with|create|replace|start)[ "
     ";]"},
    // midstream: a prepared statement executed, once as always; flags: cursors, parameters counted
    {Transport::tcp, Protocol::mysql, Speaker::client,
     "^..[\\x00-\\x0f]\\x00\\x17....[\\x00-\\x0f]\\x01\\x00\\x00\\x00"},

    // --- DTLS over UDP: a record (RFC 6347 section 4.1) of an epoch below 256 and a sequence number
    // below 2^40, of less than 2^14 + 2048 bytes; with a connection ID (RFC 9146), its length comes
    // later. Those of DTLS 1.3 begin with bits that tell nothing (RFC 9147 section 4).
    {Transport::udp, Protocol::dtls, Speaker::either,
     "^[\\x14-\\x18]\\xfe[\\xfd\\xff]\\x00.\\x00.....[\\x00-\\x48]."},
    {Transport::udp, Protocol::dtls, Speaker::either, "^\\x19\\xfe\\xfd\\x00.\\x00"},

    // --- DNS over UDP. NetBIOS names (RFC 1002 section 4.2.1) have its form, but not its names.
    {Transport::udp, Protocol::unknown, Speaker::either, "^.{12}\\x20[A-P]{32}"},
    {Transport::udp, Protocol::dns, Speaker::either, "^.." WIRELAG_DNS_QUERY},
    {Transport::udp, Protocol::dns, Speaker::either, "^.." WIRELAG_DNS_RESPONSE},
};

#undef WIRELAG_HTTP_METHODS
#undef WIRELAG_EMPTY_LINES
#undef WIRELAG_DNS_NAME
#undef WIRELAG_DNS_QUERY
#undef WIRELAG_DNS_RESPONSE

}  // namespace wirelag
