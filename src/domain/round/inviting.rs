//! When a round invites, and what its invitations rest on from then on.

use std::collections::BTreeSet;

use super::{Content, Life, RoundStatus};
use crate::domain::{
    fault::{Broken, Fault},
    moment::Moment,
};

impl Life {
    /// The rule that only a round that takes answers invites, or one that is to: a draft.
    pub fn can_invite(&self, now: Moment) -> Result<(), Broken> {
        if self.status == RoundStatus::Draft || self.takes_answers(now) {
            Ok(())
        } else {
            Err(Broken::InvalidTransition("Only a draft or an open round invites."))
        }
    }

    /// What a patch would change that invitations from these perspectives rest on.
    pub fn bound(&self, to: &Content, invited: &[String]) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.content.privacy != to.privacy && !invited.is_empty() {
            let detail = "People are invited under this promise: revoke their invitations first.";
            faults.push(Fault::new("/privacy", "immutable", detail));
        }
        let asked: BTreeSet<&str> = to.perspectives.iter().map(|one| one.perspective.as_str()).collect();
        if !invited.iter().all(|perspective| asked.contains(perspective.as_str())) {
            let detail = "People are invited from a perspective that is left out: revoke their invitations first.";
            faults.push(Fault::new("/perspectives", "immutable", detail));
        }
        faults
    }
}
