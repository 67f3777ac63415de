#include "commands.hpp"

#include <algorithm>
#include <iterator>

namespace wirelag::redis {
namespace {

using std::string_view;

constexpr string_view kNothing[] = {
    "ASKING",      "AUTH",         "BITOP",        "BGREWRITEAOF", "BGSAVE",     "DBSIZE",
    "DISCARD",     "ECHO",         "EVAL",         "EVAL_RO",      "EXEC",       "FAILOVER",
    "FLUSHALL",    "FLUSHDB",      "HELLO",        "INFO",         "KEYS",       "LASTSAVE",
    "LMPOP",       "BLMPOP",       "BZMPOP",       "MIGRATE",      "MONITOR",    "MULTI",
    "PING",        "PSUBSCRIBE",   "PSYNC",        "PUBLISH",      "QUIT",       "RANDOMKEY",
    "READONLY",    "READWRITE",    "REPLCONF",     "REPLICAOF",    "RESET",      "ROLE",
    "SAVE",        "SCAN",         "SELECT",       "SHUTDOWN",     "SINTERCARD", "SLAVEOF",
    "SPUBLISH",    "SSUBSCRIBE",   "SUBSCRIBE",    "SWAPDB",       "SYNC",       "TIME",
    "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "UNWATCH",      "WAIT",       "WAITAOF",
    "XREAD",       "XREADGROUP",   "ZDIFF",        "ZINTER",       "ZINTERCARD", "ZMPOP",
    "ZUNION"};
constexpr string_view kContainers[] = {"ACL",    "CLIENT",   "CLUSTER", "COMMAND",  "CONFIG",
                                       "DEBUG",  "FUNCTION", "LATENCY", "MEMORY",   "MODULE",
                                       "OBJECT", "PUBSUB",   "SCRIPT",  "SENTINEL", "SLOWLOG",
                                       "XGROUP", "XINFO"};
constexpr string_view kScripts[] = {"EVALSHA", "EVALSHA_RO", "FCALL", "FCALL_RO"};
constexpr string_view kWaiting[] = {"BLMOVE", "BLMPOP",   "BLPOP",    "BRPOP", "BRPOPLPUSH",
                                    "BZMPOP", "BZPOPMAX", "BZPOPMIN", "WAIT",  "WAITAOF"};

template <std::size_t N>
bool among(const string_view (&list)[N], string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

}  // namespace

First first_argument(string_view command) {
  if (among(kNothing, command)) return First::nothing;
  if (among(kContainers, command)) return First::subcommand;
  if (among(kScripts, command)) return First::script;
  return First::key;
}

bool waits(string_view command, bool block) {
  return among(kWaiting, command) || (block && (command == "XREAD" || command == "XREADGROUP"));
}

bool subscribes(string_view command) {
  return command == "SUBSCRIBE" || command == "PSUBSCRIBE" || command == "SSUBSCRIBE";
}

bool unsubscribes(string_view command) {
  return command == "UNSUBSCRIBE" || command == "PUNSUBSCRIBE" || command == "SUNSUBSCRIBE";
}

bool confirms(string_view word) {
  if (word.starts_with("p") || word.starts_with("ss") || word.starts_with("sun")) {
    word.remove_prefix(1);
  }
  return word == "subscribe" || word == "unsubscribe";
}

}  // namespace wirelag::redis
