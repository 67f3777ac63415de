#include "compare.hpp"

#include <algorithm>

namespace wirelag::properties {
namespace {

constexpr std::size_t kShown = 5;

/// Calls `use(object)` for every object in `value`.
template <class Use>
void each_object(Json& value, const Use& use) {
  if (value.is_object()) use(value);
  if (value.is_structured()) {
    for (Json& item : value) each_object(item, use);
  }
}

template <class Unwanted>
Json erased(Json value, const Unwanted& unwanted) {
  each_object(value, [&](Json& object) {
    for (auto it = object.begin(); it != object.end();) {
      it = unwanted(it.key()) ? object.erase(it) : std::next(it);
    }
  });
  return value;
}

}  // namespace

void differences(const Json& one, const Json& other, const std::string& path, Problems& out) {
  if (one == other || out.size() >= kShown) return;
  if (one.is_object() && other.is_object()) {
    for (const auto& [key, value] : one.items()) {
      differences(value, other.contains(key) ? other[key] : Json(), path + "." + key, out);
    }
  } else if (one.is_array() && other.is_array() && one.size() == other.size()) {
    for (std::size_t i = 0; i < one.size(); ++i) {
      differences(one[i], other[i], path + "[" + std::to_string(i) + "]", out);
    }
  } else if (one.is_array() && other.is_array() && one.size() + other.size() > 16) {
    out.push_back(path + ": " + std::to_string(one.size()) + " / " + std::to_string(other.size()) +
                  " members");
  } else {
    out.push_back(path + ": " + one.dump() + " / " + other.dump());
  }
}

Json lists(const Json& report) {
  Json out;
  for (const char* part : {"dns", "tcp", "tls", "http"}) out[part] = report[part];
  return out;
}

Json strip(Json value, std::initializer_list<std::string_view> names) {
  return erased(std::move(value), [&](const std::string& key) {
    return std::find(names.begin(), names.end(), key) != names.end();
  });
}

bool is_time(std::string_view name) {
  return name.ends_with("_time_ns") && name != "connect_time_ns";
}

/// A time, or one for each direction.
void move(Json& time, DurationNs by_ns) {
  if (time.is_number()) time = time.get<TimeNs>() + by_ns;
  if (!time.is_object()) return;
  for (auto& [direction, one] : time.items()) move(one, by_ns);
}

Json with_times_moved(Json value, DurationNs by_ns) {
  each_object(value, [&](Json& object) {
    for (auto& [key, item] : object.items()) {
      if (is_time(key)) move(item, by_ns);
    }
  });
  return value;
}

Json without_times(Json value) { return erased(std::move(value), is_time); }

}  // namespace wirelag::properties
