// First bytes and names through the signatures. An answer that is there does not change when more
// bytes come, up to the number that is looked at.
#include <wirelag/classify/classifier.hpp>

#include "fuzz/input.hpp"
#include "hostile/require.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  static Classifier classifier(
      Signatures::compile({{"shop", "(^|\\.)shop\\.example$"}, {"any", "a+b"}}).value());
  const Bytes bytes(data, size);
  for (const Transport transport : {Transport::tcp, Transport::udp}) {
    const Protocol all = classifier.recognise(bytes, transport).protocol;
    WIRELAG_REQUIRE(
        all ==
        classifier.recognise(bytes.first(std::min(size, kSignatureBytes)), transport).protocol);
  }
  WIRELAG_REQUIRE(classifier.service_of(as_text(bytes)) <= 2);
  return 0;
}
