//! What members of a SWIM group say to each other: small messages, each with room for one piece of news.

/// A message between two members. Beside its kind it packs into 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gossip {
    /// What is asked or answered.
    pub kind: GossipKind,
    /// Who is to be pinged, in a request for a ping; else whose probe this is.
    pub subject: u32,
    /// Which of that member's probes.
    pub sequence: u32,
    /// A piece of news.
    pub update: Option<Update>,
}

/// What a message asks or answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GossipKind {
    /// Are you there?
    Ping,
    /// I am, or the one you asked me to ping is.
    Ack,
    /// Ping somebody else for me.
    PingReq,
}

/// What is believed of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Opinion {
    /// It is well.
    #[default]
    Alive,
    /// It did not answer, and has time to object.
    Suspect,
    /// It did not object.
    Dead,
}

/// A piece of news of a member. Its incarnation, below 2^30, is what only the member itself counts up, to object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Update {
    /// Of whom.
    pub member: u32,
    /// What is believed.
    pub opinion: Opinion,
    /// Which of the member's incarnations is meant.
    pub incarnation: u32,
}

/// The largest incarnation.
pub(super) const INCARNATION_MAX: u32 = (1 << 30) - 1;
/// Where a word has this above its incarnation, there is no update.
const NO_UPDATE: u32 = 3;

impl Gossip {
    /// All but the kind, in 16 bytes.
    pub fn pack(&self) -> [u32; 4] {
        let (member, word) = match self.update {
            None => (0, NO_UPDATE << 30),
            Some(Update { member, opinion, incarnation }) => {
                (member, (opinion as u32) << 30 | incarnation.min(INCARNATION_MAX))
            }
        };
        [self.subject, self.sequence, member, word]
    }

    /// The message of this kind that was packed into these words.
    pub fn unpack(kind: GossipKind, [subject, sequence, member, word]: [u32; 4]) -> Self {
        let opinion = match word >> 30 {
            0 => Some(Opinion::Alive),
            1 => Some(Opinion::Suspect),
            2 => Some(Opinion::Dead),
            _ => None,
        };
        let update = opinion.map(|opinion| Update { member, opinion, incarnation: word & INCARNATION_MAX });
        Self { kind, subject, sequence, update }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_again() {
        let updates = [Opinion::Alive, Opinion::Suspect, Opinion::Dead]
            .map(|opinion| Some(Update { member: u32::MAX, opinion, incarnation: INCARNATION_MAX }));
        for update in updates.into_iter().chain([None]) {
            let gossip = Gossip { kind: GossipKind::PingReq, subject: 7, sequence: u32::MAX, update };
            assert_eq!(Gossip::unpack(GossipKind::PingReq, gossip.pack()), gossip);
        }
    }
}
