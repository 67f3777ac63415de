#include "databases.hpp"

#include <numeric>

#include "signature_table.hpp"

namespace wirelag {

Database compile_database(const std::vector<const char*>& patterns, unsigned flags,
                          CompileFailure& failure) {
  std::vector<unsigned> ids(patterns.size());
  std::iota(ids.begin(), ids.end(), 0U);
  const std::vector<unsigned> all_flags(patterns.size(), flags);

  // No vector extensions: signatures and names are too short to gain from them.
  const hs_platform_info_t any_processor = {};
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(patterns.data(), all_flags.data(), ids.data(),
                       static_cast<unsigned>(patterns.size()), HS_MODE_BLOCK, &any_processor,
                       &database, &error) != HS_SUCCESS) {
    const std::unique_ptr<hs_compile_error_t, HyperscanFree> owner(error);
    failure = {error->expression, error->message};
  }
  return Database(database);
}

Database compile_signatures(Transport transport, CompileFailure& failure) {
  std::vector<const char*> patterns;
  for (const Signature& signature : kSignatures) {
    if (signature.transport == transport) patterns.push_back(signature.pattern);
  }
  return compile_database(patterns, HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH, failure);
}

}  // namespace wirelag
