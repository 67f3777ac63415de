// What the build has compiled of the signatures is what the table says.
#include "prebuilt.hpp"

#include <gtest/gtest.h>

#include <wirelag/base/types.hpp>

#include "databases.hpp"

namespace wirelag {
namespace {

std::string serialised(const hs_database_t* database) {
  char* bytes = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(hs_serialize_database(database, &bytes, &size), HS_SUCCESS);
  const std::unique_ptr<char, decltype(&std::free)> owner(bytes, &std::free);
  return {bytes, size};
}

TEST(PrebuiltSignatures, AreThoseOfTheTable) {
  for (const Transport transport : {Transport::tcp, Transport::udp}) {
    CompileFailure failure;
    const Database compiled = compile_signatures(transport, failure);
    ASSERT_TRUE(compiled) << failure.message;
    EXPECT_TRUE(as_text(prebuilt_signatures(transport)) == serialised(compiled.get()));
  }
}

TEST(PrebuiltSignatures, CanBeLoaded) {
  for (const Transport transport : {Transport::tcp, Transport::udp}) {
    const std::string_view bytes = as_text(prebuilt_signatures(transport));
    hs_database_t* loaded = nullptr;
    ASSERT_EQ(hs_deserialize_database(bytes.data(), bytes.size(), &loaded), HS_SUCCESS);
    const Database owner(loaded);
    EXPECT_TRUE(bytes == serialised(loaded));
  }
}

}  // namespace
}  // namespace wirelag
