// Whole TLS conversations, as RFC 5246 section 7.3 and RFC 8446 section 2 draw them. The comment at
// a line is its frame number and its time in milliseconds.
#pragma once

#include "wire.hpp"

namespace wirelag::tls_test {

inline std::string certificate(std::size_t size = 3000) {
  return message(11, std::string(size, 'c'));
}

inline Conversation tls12_full() {
  return Conversation()
      .client(record(22, client_hello({.sni = "www.example.com", .alpn = {"h2", "http/1.1"}}),
                     0x0301))  // 1
      .server(record(22, server_hello({.alpn = "h2"})) + record(22, certificate(300)) +
              record(22, message(12, std::string(60, 'k'))) + record(22, message(14, "")))  // 2
      .client(record(22, message(16, std::string(66, 'x'))) + change_cipher_spec() +
              finished())  // 3
      .server(record(22, message(4, std::string(180, 't'))) + change_cipher_spec() +
              finished())  // 4
      .client(data())      // 5
      .server(data());     // 6
}

inline Conversation tls12_refused() {
  return Conversation()
      .client(record(22, client_hello({.sni = "www.example.com"}), 0x0301))                   // 1
      .server(record(22, server_hello({}) + certificate(300)) + record(22, message(14, "")))  // 2
      .client(record(21, u8(2) + u8(48)));  // 3: unknown_ca
}

inline Conversation tls12_resumed() {
  return Conversation()
      .client(record(22, client_hello({.sni = "www.example.com"}), 0x0301))      // 1
      .server(record(22, server_hello({})) + change_cipher_spec() + finished())  // 2
      .client(change_cipher_spec() + finished() + data())                        // 3
      .server(data());                                                           // 4
}

inline Conversation tls13_full() {
  return Conversation()
      .client(record(22,
                     client_hello({.sni = "www.example.com",
                                   .alpn = {"h2"},
                                   .supported_versions = {0x1a1a, 0x0304, 0x0303}}),
                     0x0301))  // 1
      .server(record(22, server_hello({.cipher = 0x1301, .supported_version = 0x0304})) +
              change_cipher_spec() + data(40) + data(400))  // 2: EncryptedExtensions, Certificate
      .server(data(280) + data(53))                         // 3: CertificateVerify, Finished
      .client(change_cipher_spec() + data(53))              // 4: Finished
      .client(data(200))                                    // 5
      .server(data(120));                                   // 6
}

inline Conversation tls13_retry() {
  const ClientHelloFields hello{.sni = "www.example.com", .supported_versions = {0x0304}};
  return Conversation()
      .client(record(22, client_hello(hello), 0x0301))  // 1
      .server(record(22, server_hello({.supported_version = 0x0304, .retry = true})) +
              change_cipher_spec())                                    // 2
      .client(change_cipher_spec() + record(22, client_hello(hello)))  // 3
      .server(record(22, server_hello({.cipher = 0x1302, .supported_version = 0x0304})) +
              data(500))  // 4
      .client(data(69))   // 5
      .client(data())     // 6
      .server(data());    // 7
}

inline Conversation tls13_early_data() {
  return Conversation()
      .client(record(22,
                     client_hello({.sni = "www.example.com",
                                   .supported_versions = {0x0304},
                                   .psk = true,
                                   .early_data = true}),
                     0x0301) +
              change_cipher_spec() + data(300))  // 1
      .server(record(22, server_hello({.supported_version = 0x0304, .psk = true})) +
              change_cipher_spec() + data(60))  // 2
      .client(data(74))                         // 3: EndOfEarlyData, Finished
      .server(data(120));                       // 4
}

/// The second hello no longer offers what the first did.
inline Conversation tls13_early_data_refused() {
  const ClientHelloFields first{
      .sni = "www.example.com", .supported_versions = {0x0304}, .psk = true, .early_data = true};
  const ClientHelloFields second{.sni = "www.example.com", .supported_versions = {0x0304}};
  return Conversation()
      .client(record(22, client_hello(first)) + change_cipher_spec() + data(300))              // 1
      .server(record(22, server_hello({.supported_version = 0x0304, .retry = true})))          // 2
      .client(record(22, client_hello(second)))                                                // 3
      .server(record(22, server_hello({.supported_version = 0x0304})) + data(300) + data(53))  // 4
      .client(data(53))                                                                        // 5
      .client(data(200))                                                                       // 6
      .server(data());                                                                         // 7
}

}  // namespace wirelag::tls_test
