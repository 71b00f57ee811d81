//! Packets: blocks are what pcapng says, headers what the Internet says, and Wireshark finds nothing wrong with either.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::process::Command;

use rehearsal::base::time::{Time, secs};
use rehearsal::experiment::{self, Captured};
use rehearsal::metrics::tap::{Packet, packets_of};
use rehearsal::report::trace::{Origin, rule_of_packets, write_packets};
use rehearsal::scenario::plan::Plan;

use super::played::{Played, exported, hostile, systems};

/// What a file says of a packet.
struct Seen {
    time: u64,
    length: u64,
    bytes: Vec<u8>,
    comment: String,
}

/// What a file says.
struct File {
    comment: String,
    names: BTreeMap<Ipv4Addr, String>,
    packets: Vec<Seen>,
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// Options or records: code and value of each, up to the end.
fn options(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut found = Vec::new();
    loop {
        let (code, length) = (word(&bytes[..2]), word(&bytes[2..4]) as usize);
        if code == 0 {
            assert_eq!((length, bytes.len()), (0, 4), "the end is the end");
            return found;
        }
        found.push((code, bytes[4..4 + length].to_vec()));
        assert!(bytes[4 + length..4 + length.next_multiple_of(4)].iter().all(|&byte| byte == 0));
        bytes = &bytes[4 + length.next_multiple_of(4)..];
    }
}

fn comment(options: &[(u64, Vec<u8>)]) -> String {
    let mut comments = options.iter().filter(|(code, _)| *code == 1).map(|(_, text)| text.clone());
    let comment = String::from_utf8(comments.next().unwrap()).unwrap();
    assert_eq!(comments.next(), None);
    comment
}

fn read(bytes: &[u8]) -> File {
    let mut blocks = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (kind, length) = (word(&rest[..4]), word(&rest[4..8]) as usize);
        assert!(length.is_multiple_of(4));
        assert_eq!(word(&rest[length - 4..length]), length as u64);
        blocks.push((kind, &rest[8..length - 4]));
        rest = &rest[length..];
    }
    let mut blocks = blocks.into_iter();
    let (kind, section) = blocks.next().unwrap();
    assert_eq!(
        (kind, word(&section[..4]), word(&section[4..8]), word(&section[8..16])),
        (0x0a0d_0d0a, 0x1a2b_3c4d, 1, u64::MAX)
    );
    let comment_of_all = comment(&options(&section[16..]));
    let (kind, interface) = blocks.next().unwrap();
    let snap = word(&interface[4..8]);
    assert_eq!((kind, word(&interface[..2]), word(&interface[2..4])), (1, 101, 0));
    assert!(options(&interface[8..]).contains(&(9, vec![9])), "times are in nanoseconds");
    let (kind, names) = blocks.next().unwrap();
    assert_eq!(kind, 4);
    let mut known = BTreeMap::new();
    for (kind, record) in options(names) {
        assert_eq!(kind, 1);
        let address = Ipv4Addr::from(<[u8; 4]>::try_from(&record[..4]).unwrap());
        let name = String::from_utf8(record[4..].strip_suffix(&[0]).unwrap().to_vec()).unwrap();
        assert!(!name.contains('\0'));
        assert_eq!(known.insert(address, name), None, "an address is given once");
    }
    let packets = blocks.map(|(kind, block)| {
        assert_eq!((kind, word(&block[..4])), (6, 0));
        let (high, low) = (word(&block[4..8]), word(&block[8..12]));
        let (captured, length) = (word(&block[12..16]), word(&block[16..20]));
        assert!(captured == length.min(snap));
        let bytes = block[20..20 + captured as usize].to_vec();
        let comment = comment(&options(&block[20 + (captured as usize).next_multiple_of(4)..]));
        Seen { time: high << 32 | low, length, bytes, comment }
    });
    File { comment: comment_of_all, names: known, packets: packets.collect() }
}

/// The sum that is all ones where a checksum is right.
fn sum(bytes: &[u8]) -> u64 {
    let pairs = bytes.chunks(2).map(|pair| u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u64 = pairs.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

fn check(file: &File, packets: &[Packet], name: impl Fn(&Packet) -> (String, String)) {
    assert_eq!(file.packets.len(), packets.len());
    for (seen, packet) in file.packets.iter().zip(packets) {
        assert_eq!(seen.time, packet.sent.as_nanos());
        let (ip, udp) = seen.bytes.split_at(20);
        let big = |bytes: &[u8]| u64::from(bytes[0]) << 8 | u64::from(bytes[1]);
        assert_eq!((ip[0], ip[9], sum(ip)), (0x45, 17, 0xffff));
        assert_eq!((big(&ip[2..]), big(&udp[4..])), (seen.length.min(65_535), seen.length.min(65_535) - 20));
        let pseudo = [&ip[12..20], &[0, 17], &udp[4..6], udp].concat();
        assert_eq!(sum(&pseudo), 0xffff);
        let words = String::from_utf8(udp[8..].iter().copied().take_while(|&byte| byte != 0).collect()).unwrap();
        assert!(words.contains(&format!("attempt {}", packet.transit.attempt)), "{words}");
        assert_eq!(seen.length, packet.size.max(28 + words.len() as u64));
        let at = |bytes: &[u8]| file.names[&Ipv4Addr::from(<[u8; 4]>::try_from(bytes).unwrap())].clone();
        assert_eq!((at(&ip[12..16]), at(&ip[16..20])), name(packet));
        match packet.ends.first() {
            None => assert!(seen.comment.contains("under way")),
            Some(end) => match end.cause {
                Some(cause) => assert!(seen.comment.contains(cause.name()), "{}", seen.comment),
                None => assert!(seen.comment.contains("arrived"), "{}", seen.comment),
            },
        }
        assert_eq!(seen.comment.split(';').count(), packet.ends.len().max(1));
    }
}

/// The packets of followed messages, in the order in which they left.
fn of(played: &Played) -> Vec<Packet> {
    let mut packets: Vec<_> = played.traced.stories.iter().flat_map(packets_of).collect();
    packets.sort_by_key(|packet| packet.sent);
    packets
}

fn captured(plan: &Plan, window: (Time, Time), most: usize) -> (Captured, Vec<u8>) {
    let captured = experiment::capture(plan, 0, window, most, &mut |_| ControlFlow::Continue(())).unwrap();
    let mut bytes = Vec::new();
    write_packets(&Origin::of(plan, 0, rule_of_packets(&captured)), &captured, &mut bytes).unwrap();
    (captured, bytes)
}

const ALWAYS: (Time, Time) = (Time::ZERO, Time::MAX);

#[test]
fn packets_of_followed_messages_say_what_happened_to_them() {
    for (name, played) in systems() {
        let cast = &played.traced.cast;
        let names = |packet: &Packet| (cast.node(packet.from).to_owned(), cast.node(packet.to).to_owned());
        let packets = of(&played);
        let file = read(&exported(&played, "pcapng"));
        check(&file, &packets, names);
        assert!(file.comment.contains(&played.plan.title));
        let lost = packets.iter().filter(|packet| packet.ends.iter().any(|end| end.cause.is_some()));
        assert!(packets.len() > 50 && lost.count() > 0, "{name}");
    }
    assert_eq!(read(&exported(&hostile(), "pcapng")).packets.len(), 3);
}

#[test]
fn a_tap_takes_every_copy_of_a_run() {
    for (name, played) in systems() {
        let run = experiment::play(&played.plan, 0, &mut |_| ControlFlow::Continue(())).unwrap();
        let count = |of: fn(&rehearsal::sim::LinkBook) -> u64| run.links.iter().map(|link| of(&link.book)).sum::<u64>();
        let (all, bytes) = captured(&played.plan, ALWAYS, usize::MAX);
        let ends = |is_drop: bool| {
            let ends = all.packets.iter().flat_map(|packet| &packet.ends);
            ends.filter(|end| end.cause.is_some() == is_drop).count() as u64
        };
        assert_eq!((all.packets.len() as u64, all.left_out), (count(|book| book.sent), 0), "{name}");
        assert_eq!(ends(true), count(|book| book.dropped.iter().sum()), "{name}");
        assert_eq!(ends(false), count(|book| book.delivered), "{name}");
        let names = |packet: &Packet| (all.cast.node(packet.from).to_owned(), all.cast.node(packet.to).to_owned());
        check(&read(&bytes), &all.packets, names);
        // No more than so many, and only those of a window.
        let window = (Time::ZERO + secs(1), Time::ZERO + secs(2));
        let inside: Vec<_> =
            all.packets.iter().filter(|packet| window.0 <= packet.sent && packet.sent < window.1).collect();
        let most = inside.len() / 2;
        let (some, _) = captured(&played.plan, window, most);
        assert_eq!((some.packets.len(), some.left_out as usize), (most, inside.len() - most));
        let key = |packet: &Packet| (packet.sent, packet.from, packet.to, packet.transit);
        assert!(some.packets.iter().zip(inside).all(|(one, other)| key(one) == key(other)));
    }
}

#[test]
fn wireshark_reads_them() {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("skipped: tshark is not installed");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("packets.pcapng");
    let ask = |arguments: &[&str]| {
        let output = Command::new("tshark").arg("-r").arg(&path).args(["-N", "n"]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for (name, played) in systems().into_iter().chain([("hostile", hostile())]) {
        std::fs::write(&path, exported(&played, "pcapng")).unwrap();
        assert_eq!(ask(&["-Y", "_ws.malformed || _ws.expert.severity >= 6291456"]), "", "{name}");
        let fields = [
            "frame.time_epoch",
            "frame.len",
            "ip.src_host",
            "ip.dst_host",
            "ip.checksum.status",
            "udp.checksum.status",
        ];
        let mut arguments = vec!["-T", "fields", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"];
        arguments.extend(fields.iter().flat_map(|field| ["-e", field]));
        let text = ask(&arguments);
        let packets = of(&played);
        assert_eq!(text.lines().count(), packets.len(), "{name}");
        for (line, packet) in text.lines().zip(&packets) {
            let fields: Vec<&str> = line.split('\t').collect();
            let nanos = packet.sent.as_nanos();
            assert_eq!(fields[0], format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000));
            assert!(fields[1].parse::<u64>().unwrap() >= packet.size.clamp(28, (1 << 31) - 1), "{line}");
            if name != "hostile" {
                let cast = &played.traced.cast;
                assert_eq!((fields[2], fields[3]), (cast.node(packet.from), cast.node(packet.to)));
            }
            // 1: good; 2: not looked at, as the packet is longer than what is in the file.
            assert!(fields[4] == "1" && ["1", "2"].contains(&fields[5]), "{line}");
        }
    }
}
