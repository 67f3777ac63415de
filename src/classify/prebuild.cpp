// Run by the build: compiles the signatures and prints the databases as the source of prebuilt.hpp.
//
//    prebuild > prebuilt.cpp
#include <cstdlib>

#include <fmt/core.h>

#include "databases.hpp"

namespace wirelag {
namespace {

constexpr std::size_t kBytesPerLine = 32;

void print_database(Transport transport, const char* name) {
  CompileFailure failure;
  const Database database = compile_signatures(transport, failure);
  char* bytes = nullptr;
  std::size_t size = 0;
  if (!database || hs_serialize_database(database.get(), &bytes, &size) != HS_SUCCESS) {
    fmt::print(stderr, "prebuild: signatures of {}: pattern {}: {}\n", name, failure.pattern,
               failure.message);
    std::exit(1);
  }
  fmt::print("alignas(64) constexpr unsigned char k{}[] = {{", name);
  for (std::size_t i = 0; i < size; ++i) {
    fmt::print("{}{},", i % kBytesPerLine == 0 ? "\n" : "", static_cast<unsigned char>(bytes[i]));
  }
  fmt::print("\n}};\n");
  std::free(bytes);
}

void print_source() {
  fmt::print("#include \"prebuilt.hpp\"\n\nnamespace wirelag {{\nnamespace {{\n\n");
  print_database(Transport::tcp, "Tcp");
  print_database(Transport::udp, "Udp");
  fmt::print(
      "\n}}  // namespace\n\nBytes prebuilt_signatures(Transport transport) {{\n"
      "  return transport == Transport::tcp ? Bytes(kTcp) : Bytes(kUdp);\n}}\n\n"
      "}}  // namespace wirelag\n");
}

}  // namespace
}  // namespace wirelag

int main() { wirelag::print_source(); }
