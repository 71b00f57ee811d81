//! `pcapng`: the virtual network as Wireshark sees a real one.
//!
//! Each copy is a packet at the time at which it left: IPv4 and UDP, with addresses that say group and number (the third group's fifth
//! node is 10.2.0.5), which Wireshark shows as names, and a payload that says in words what it is. A packet is as long as the message,
//! or as long as headers and words need; what is beyond [`SNAP`] bytes is not in the file. What became of the copy stands in its comment.
//! Time zero is the beginning of 1970, so that epoch times are simulated times.

use std::io::{self, Write};
use std::net::Ipv4Addr;

use crate::base::id::NodeId;
use crate::base::units::exact;
use crate::experiment::Captured;
use crate::metrics::story::Cast;
use crate::metrics::tap::{Packet, packets_of};
use crate::process::Flow;
use crate::report::style::clean;

use super::{Format, Origin, Trace};

pub(super) const FORMAT: Format = Format {
    name: "pcapng",
    extension: "pcapng",
    summary: "Packets, for Wireshark and tshark: each copy as IPv4 and UDP, with names of nodes",
    write,
};

/// The most bytes of a packet that are in the file.
const SNAP: usize = 256;
/// Bytes of an IPv4 header and of a UDP header.
const HEADERS: usize = 20 + 8;
/// What IPv4 can say of a length.
const LONGEST: u64 = 65_535;
/// What Wireshark can show of one.
const MOST: u64 = (1 << 31) - 1;
/// The port of who offered a message, and that of whoever else has to do with it.
const PORTS: (u16, u16) = (49_152, 49_153);
/// The address before that of the first node.
const NETWORK: u32 = 10 << 24;

// Types of blocks and options, and the type of link whose packets begin with the header of IP.
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const NAMES: u32 = 4;
const ENHANCED: u32 = 6;
const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const RESOLUTION: u16 = 9;
const RAW_IP: u16 = 101;

fn write(trace: &Trace<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut packets: Vec<(Packet, Option<Flow>)> = Vec::new();
    for story in &trace.traced.stories {
        let chapters = &story.chapters;
        packets.extend(packets_of(story).into_iter().map(|packet| {
            let chapter = chapters.iter().find(|chapter| chapter.message == packet.transit.message);
            let flow = chapter.map(|chapter| chapter.flow);
            (packet, flow)
        }));
    }
    // A stable sort: each story keeps its order.
    packets.sort_by_key(|(packet, _)| packet.sent);
    begin(&trace.origin, &trace.traced.cast, out)?;
    packets.iter().try_for_each(|(packet, flow)| block_of(packet, *flow, &trace.traced.cast, out))
}

/// Writes what was captured of a run.
pub(super) fn write_captured(origin: &Origin<'_>, captured: &Captured, out: &mut dyn Write) -> io::Result<()> {
    begin(origin, &captured.cast, out)?;
    captured.packets.iter().try_for_each(|packet| block_of(packet, None, &captured.cast, out))
}

/// What stands before all packets: what it is, one interface with times in nanoseconds, and who is called what.
fn begin(origin: &Origin<'_>, cast: &Cast, out: &mut dyn Write) -> io::Result<()> {
    let mut section = Vec::new();
    section.extend(0x1a2b_3c4d_u32.to_le_bytes());
    section.extend([1, 0, 0, 0]);
    section.extend(u64::MAX.to_le_bytes());
    option(&mut section, COMMENT, clean(&origin.line(), 4_000).as_bytes());
    option(&mut section, APPLICATION, format!("rehearsal {}", crate::report::VERSION).as_bytes());
    option(&mut section, 0, &[]);
    block(out, SECTION, &section)?;
    let mut interface = Vec::new();
    interface.extend(RAW_IP.to_le_bytes());
    interface.extend([0, 0]);
    interface.extend((SNAP as u32).to_le_bytes());
    option(&mut interface, INTERFACE_NAME, b"virtual network");
    option(&mut interface, RESOLUTION, &[9]);
    option(&mut interface, 0, &[]);
    block(out, INTERFACE, &interface)?;
    let mut names = Vec::new();
    for node in cast.nodes() {
        let mut record = address(cast, node).octets().to_vec();
        record.extend(host(cast, node).as_bytes());
        record.push(0);
        option(&mut names, 1, &record);
    }
    option(&mut names, 0, &[]);
    block(out, NAMES, &names)
}

/// A node's address.
fn address(cast: &Cast, node: NodeId) -> Ipv4Addr {
    Ipv4Addr::from(NETWORK.wrapping_add(cast.number(node)))
}

fn block_of(packet: &Packet, flow: Option<Flow>, cast: &Cast, out: &mut dyn Write) -> io::Result<()> {
    let words = words(packet, flow, cast);
    let length = packet.size.clamp((HEADERS + words.len()) as u64, MOST);
    let bytes = bytes(packet, &words, length, cast);
    let time = packet.sent.as_nanos();
    let mut body = Vec::new();
    body.extend(0_u32.to_le_bytes());
    body.extend(((time >> 32) as u32).to_le_bytes());
    body.extend((time as u32).to_le_bytes());
    body.extend((bytes.len() as u32).to_le_bytes());
    body.extend((length as u32).to_le_bytes());
    padded(&mut body, &bytes);
    option(&mut body, COMMENT, comment(packet).as_bytes());
    option(&mut body, 0, &[]);
    block(out, ENHANCED, &body)
}

/// What a packet is, in words.
fn words(packet: &Packet, flow: Option<Flow>, cast: &Cast) -> String {
    let flow = flow.map_or(String::new(), |flow| format!("{} ", clean(cast.flow(flow), 60)));
    let message = clean(&cast.message(packet.transit.message), 60);
    let text = format!("{flow}{message} attempt {} {}", packet.transit.attempt, packet.transit.leg.name());
    fitting(&text, SNAP - HEADERS).into()
}

/// As much of a text from its beginning as fits into so many bytes.
fn fitting(text: &str, most: usize) -> &str {
    let end = text.char_indices().map(|(index, c)| index + c.len_utf8()).take_while(|end| *end <= most).last();
    &text[..end.unwrap_or(0)]
}

/// A node's name as Wireshark keeps it: up to 63 bytes, and its number among its group is what is not cut off.
fn host(cast: &Cast, node: NodeId) -> String {
    let name = clean(cast.node(node), 200);
    let (group, number) = name.split_at(name.rfind('[').unwrap_or(name.len()));
    format!("{}{number}", fitting(group, 63_usize.saturating_sub(number.len())))
}

/// What became of a packet.
fn comment(packet: &Packet) -> String {
    let ends = packet.ends.iter().map(|end| match end.cause {
        None => format!("arrived after {}", exact(end.time.since(packet.sent))),
        Some(cause) => format!("dropped after {}: {}", exact(end.time.since(packet.sent)), cause.name()),
    });
    let ends: Vec<_> = ends.collect();
    if ends.is_empty() { "still under way at the end".into() } else { ends.join("; ") }
}

/// The packet as far as it is in the file.
fn bytes(packet: &Packet, words: &str, length: u64, cast: &Cast) -> Vec<u8> {
    let (from, to) = (address(cast, packet.from).octets(), address(cast, packet.to).octets());
    let said = length.min(LONGEST) as u16;
    let mut ip = vec![0x45, 0];
    ip.extend(said.to_be_bytes());
    // Nothing to be put together again, and not to be taken apart; 64 hops; UDP; the checksum comes last.
    ip.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
    ip.extend(from);
    ip.extend(to);
    let sum = checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let owner = packet.transit.message.owner;
    let port = |node: NodeId| if node == owner { PORTS.0 } else { PORTS.1 };
    let mut udp = Vec::new();
    udp.extend(port(packet.from).to_be_bytes());
    udp.extend(port(packet.to).to_be_bytes());
    udp.extend((said - 20).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(words.as_bytes());
    // What follows the words is zero, and adds nothing.
    let mut summed = [from, to].concat();
    summed.extend([0, 17]);
    summed.extend((said - 20).to_be_bytes());
    summed.extend(&udp);
    let sum = match checksum(&summed) {
        0 => u16::MAX,
        sum => sum,
    };
    udp[6..8].copy_from_slice(&sum.to_be_bytes());
    ip.extend(udp);
    ip.resize(SNAP.min(length as usize), 0);
    ip
}

/// The checksum of the Internet's protocols (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let pairs = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = pairs.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// A block: its type, its length, what it holds, and its length again.
fn block(out: &mut dyn Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = (body.len() as u32 + 12).to_le_bytes();
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&length)?;
    out.write_all(body)?;
    out.write_all(&length)
}

/// An option, or a record: its code, its length, and what it says.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    padded(body, value);
}

/// Bytes up to the next multiple of four.
fn padded(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
}
