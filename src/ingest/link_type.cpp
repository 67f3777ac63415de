#include <array>
#include <initializer_list>

#include <fmt/format.h>

#include <wirelag/ingest/link_type.hpp>

namespace wirelag {
namespace {

/// Names of what is counted and not understood (tcpdump.org, "Link-layer header types").
struct Named {
  std::uint32_t number;
  std::string_view name;
};
constexpr Named kOthers[] = {
    {2, "experimental_ethernet"},
    {3, "ax25"},
    {4, "pronet"},
    {5, "chaos"},
    {99, "symantec_firewall"},
    {102, "slip_bsdos"},
    {103, "ppp_bsdos"},
    {106, "atm_clip"},
    {112, "lane8023"},
    {114, "ltalk"},
    {118, "cisco_ios"},
    {138, "apple_ip_over_ieee1394"},
    {139, "mtp2_with_phdr"},
    {140, "mtp2"},
    {141, "mtp3"},
    {142, "sccp"},
    {143, "docsis"},
    {144, "linux_irda"},
    {177, "linux_lapd"},
    {187, "bluetooth_hci_h4"},
    {189, "usb_linux"},
    {190, "can20b"},
    {191, "ieee802_15_4_linux"},
    {195, "ieee802_15_4_withfcs"},
    {196, "sita"},
    {197, "erf"},
    {201, "bluetooth_hci_h4_with_phdr"},
    {202, "ax25_kiss"},
    {203, "lapd"},
    {209, "ipmb_linux"},
    {210, "flexray"},
    {212, "lin"},
    {215, "ieee802_15_4_nonask_phy"},
    {220, "usb_linux_mmapped"},
    {224, "fc_2"},
    {225, "fc_2_with_frame_delims"},
    {226, "ipnet"},
    {227, "can_socketcan"},
    {230, "ieee802_15_4_nofcs"},
    {231, "dbus"},
    {235, "dvb_ci"},
    {236, "mux27010"},
    {237, "stanag_5066_d_pdu"},
    {243, "mpeg_2_ts"},
    {244, "ng40"},
    {245, "nfc_llcp"},
    {247, "infiniband"},
    {248, "sctp"},
    {249, "usbpcap"},
    {250, "rtac_serial"},
    {251, "bluetooth_le_ll"},
    {252, "wireshark_upper_pdu"},
    {253, "netlink"},
    {254, "bluetooth_linux_monitor"},
    {255, "bluetooth_bredr_bb"},
    {256, "bluetooth_le_ll_with_phdr"},
    {257, "profibus_dl"},
    {259, "epon"},
    {260, "ipmi_hpm_2"},
    {261, "zwave_r1_r2"},
    {262, "zwave_r3"},
    {263, "wattstopper_dlm"},
    {264, "iso_14443"},
    {265, "rds"},
    {266, "usb_darwin"},
    {268, "sdlc"},
    {270, "loratap"},
    {271, "vsock"},
    {272, "nordic_ble"},
    {273, "docsis31_xra31"},
    {274, "ethernet_mpacket"},
    {275, "displayport_aux"},
    {278, "openvizsla"},
    {279, "ebhscr"},
    {280, "vpp_dispatch"},
    {283, "ieee802_15_4_tap"},
    {286, "elee"},
    {287, "z_wave_serial"},
    {288, "usb_2_0"},
    {289, "atsc_alp"},
    {290, "etw"},
    {kSnoopLinkTypes + 1, "snoop_token_bus"},
    {kSnoopLinkTypes + 3, "snoop_metro_net"},
    {kSnoopLinkTypes + 5, "snoop_hdlc"},
    {kSnoopLinkTypes + 6, "snoop_character_synchronous"},
    {kSnoopLinkTypes + 7, "snoop_ibm_channel"},
    {kSnoopLinkTypes + 9, "snoop_other"},
    {kNetmonLinkTypes + 3, "netmon_fddi"},
    {kNetmonLinkTypes + 4, "netmon_wan"},
    {kNetmonLinkTypes + 6, "netmon_802_11"},
};

}  // namespace

std::string_view name(LinkType link) {
  switch (link) {
#define X(symbol, meaning, ...) \
  case LinkType::symbol: return #symbol;
    WIRELAG_LINK_TYPES(X)
#undef X
    case LinkType::unsupported: break;
  }
  return "unsupported";
}

std::string_view meaning(LinkType link) {
  switch (link) {
#define X(symbol, meaning, ...) \
  case LinkType::symbol: return meaning;
    WIRELAG_LINK_TYPES(X)
#undef X
    case LinkType::unsupported: break;
  }
  return "a link type that is not understood";
}

LinkType link_type_of(std::uint32_t number) {
#define X(symbol, meaning, ...)                     \
  for (const std::uint32_t known : {__VA_ARGS__}) { \
    if (known == number) return LinkType::symbol;   \
  }
  WIRELAG_LINK_TYPES(X)
#undef X
  return LinkType::unsupported;
}

std::string link_type_name(std::uint32_t number) {
  if (const LinkType link = link_type_of(number); link != LinkType::unsupported) {
    return std::string(name(link));
  }
  for (const Named& other : kOthers) {
    if (other.number == number) return std::string(other.name);
  }
  if (number >= kNetmonLinkTypes) return fmt::format("netmon_{}", number - kNetmonLinkTypes);
  if (number >= kSnoopLinkTypes) return fmt::format("snoop_{}", number - kSnoopLinkTypes);
  return fmt::format("number {}", number);
}

}  // namespace wirelag
