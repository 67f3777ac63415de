// Service rules: first rule wins, whatever order Hyperscan reports matches in.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/classify/classifier.hpp>

namespace wirelag {
namespace {

using testing::HasSubstr;

std::string service(const std::vector<ServiceRule>& rules, std::string_view host) {
  const auto signatures = Signatures::compile(rules).value();
  Classifier classifier(signatures);
  return std::string(signatures->service_name(classifier.service_of(host)));
}

TEST(Service, FirstRuleInTheConfigurationWins) {
  EXPECT_EQ(service({{"images", "^img\\."}, {"shop", "example\\.com$"}}, "img.example.com"),
            "images");
  EXPECT_EQ(service({{"shop", "example\\.com$"}, {"images", "^img\\."}}, "img.example.com"),
            "shop");
  EXPECT_EQ(service({{"images", "^img\\."}, {"shop", "example\\.com$"}}, "www.example.com"),
            "shop");
  EXPECT_EQ(service({{"images", "^img\\."}, {"shop", "example\\.com$"}}, "other.net"), "");
}

TEST(Service, RulesMayShareAService) {
  const auto signatures =
      Signatures::compile({{"shop", "^a$"}, {"bank", "^b$"}, {"shop", "^c$"}}).value();
  Classifier classifier(signatures);
  EXPECT_EQ(signatures->services(), 2U);
  EXPECT_EQ(classifier.service_of("a"), 1);
  EXPECT_EQ(classifier.service_of("b"), 2);
  EXPECT_EQ(classifier.service_of("c"), 1);
  EXPECT_EQ(classifier.service_of("d"), kNoService);
  EXPECT_EQ(signatures->service_name(kNoService), "");
  EXPECT_EQ(signatures->service_name(3), "");
}

TEST(Service, CaseDoesNotMatter) {
  EXPECT_EQ(service({{"shop", "Example\\.COM$"}}, "WWW.eXample.com"), "shop");
}

TEST(Service, PortAndFinalDotAreNotPartOfTheName) {
  const std::vector<ServiceRule> rules = {
      {"shop", "^example\\.com$"}, {"v6", "^\\[2001:db8::1\\]$"}, {"bare", "^2001:db8::2$"}};
  EXPECT_EQ(service(rules, "example.com:8080"), "shop");
  EXPECT_EQ(service(rules, "example.com."), "shop");
  EXPECT_EQ(service(rules, "example.com.:80"), "shop");
  EXPECT_EQ(service(rules, "example.com:"), "shop");
  EXPECT_EQ(service(rules, "[2001:db8::1]:443"), "v6");
  EXPECT_EQ(service(rules, "[2001:db8::1]"), "v6");
  EXPECT_EQ(service(rules, "2001:db8::2"), "bare");
  EXPECT_EQ(service(rules, ":"), "");
  EXPECT_EQ(service(rules, "."), "");
}

TEST(Service, AnythingMatchesACatchAll) {
  EXPECT_EQ(service({{"shop", "shop"}, {"rest", ".*"}}, "other.net"), "rest");
  EXPECT_EQ(service({{"rest", ".*"}}, ""), "");
  EXPECT_EQ(service({}, "other.net"), "");
}

TEST(Service, BadPatternIsNamedWithHyperscansReason) {
  const auto unclosed = Signatures::compile({{"shop", "a"}, {"bank", "(b"}});
  ASSERT_FALSE(unclosed.ok());
  EXPECT_THAT(unclosed.error(), HasSubstr("service rule 2 (\"bank\"), pattern \"(b\": "));
  EXPECT_THAT(unclosed.error(), HasSubstr("index 0"));

  const auto look_ahead = Signatures::compile({{"shop", "a(?=b)"}});
  ASSERT_FALSE(look_ahead.ok());
  EXPECT_THAT(look_ahead.error(), HasSubstr("service rule 1 (\"shop\")"));
  EXPECT_THAT(look_ahead.error(), HasSubstr("Zero-width assertions are not supported"));
}

TEST(Service, EmptyPatternsAndNamesAreErrors) {
  EXPECT_THAT(Signatures::compile({{"shop", ""}}).error(), HasSubstr("empty pattern"));
  EXPECT_THAT(Signatures::compile({{"", "a"}}).error(), HasSubstr("no service name"));
}

TEST(Service, ClassifiersOfOneSetOfSignaturesWorkApart) {
  const auto signatures = Signatures::compile({{"shop", "example"}}).value();
  Classifier one(signatures);
  Classifier other(signatures);
  EXPECT_EQ(one.service_of("example"), other.service_of("www.example"));
  EXPECT_EQ(other.recognise(as_bytes("GET / HTTP/1.1\r\n"), Transport::tcp).protocol,
            Protocol::http1);
}

}  // namespace
}  // namespace wirelag
