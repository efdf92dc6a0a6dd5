//! An oracle for the store: it follows the trace of a trial, keeps the rows by the rules alone, and derives what each
//! commit and each reply must have been. It does not check the lock, which has its own oracle.

use std::collections::{BTreeMap, VecDeque};

use retrial_sim::engine::Value;
use retrial_sim::fault::Fault;
use retrial_sim::trace::{Event, EventKind, Request};
use retrial_sim::trial::Run;

use self::row::Row;
use self::update::{Stage, Update};
use super::{DONE, LOCKED, NULL_VECTOR, SCOPES, UNKNOWN};
use retrial_soundness::{Tally, ensure};

mod row;
mod update;

pub(super) const WANTED: &[&str] = &[
    "nothing committed",
    "one id twice in a read",
    "a list within a scope",
    "refused for a vector, others with it",
    "a merge",
    "a merge overtaken",
    "a merge of two ids",
    "a row beside a newer one",
    "deleted unchanged",
    "a reply lost",
    "a request lost",
    "dead after a commit",
    "updated",
    "an update without a row",
    "an update out of scope",
    "an update of a row without a vector",
    "an update is locked out",
    "an update whose delete is unknown",
    "an update whose add was made",
    "an update restores",
    "an update cannot restore",
    "an update that another has overtaken",
    "no row between delete and add",
];

/// An expected commit: its actor, its step and its changes.
type Commit = (u16, u32, Vec<Change>);

type Note = (&'static str, i64, i64);

/// A row's key, and the row before and after.
type Change = (i64, Option<Row>, Option<Row>);

/// The state of an actor: the request that it has annotated, how far it is, and what it has to annotate next.
#[derive(Default)]
struct Hand {
    asked: Vec<Note>,
    update: Option<Update>,
    must_say: VecDeque<Note>,
}

struct Oracle {
    /// The rows by key, in the order in which they were added.
    rows: BTreeMap<i64, Row>,
    versions: BTreeMap<i64, i64>,
    /// All rows that ever existed, by id and version.
    ever: BTreeMap<(i64, i64), Row>,
    key: i64,
    hands: BTreeMap<u16, Hand>,
    /// What the next event must commit.
    commits: Option<Commit>,
    seen: Vec<&'static str>,
}

/// Checks that a trial of one store violates no rule.
pub(super) fn judge(run: &Run, tally: &mut Tally) -> Result<(), String> {
    let mut oracle = Oracle {
        rows: BTreeMap::new(),
        versions: BTreeMap::new(),
        ever: BTreeMap::new(),
        key: 0,
        hands: BTreeMap::new(),
        commits: None,
        seen: Vec::new(),
    };
    for (id, mark) in [(1, 1), (2, 2), (3, 5)] {
        oracle.append(Row::new(id, 0, mark));
    }
    for (index, event) in run.trace.events.iter().enumerate() {
        oracle.event(event).map_err(|why| format!("event {index}: {why}"))?;
    }
    ensure!(oracle.commits.is_none(), "it commits {:?} no more", oracle.commits);
    oracle.seen.into_iter().for_each(|what| *tally.entry(what).or_default() += 1);
    Ok(())
}

impl Oracle {
    fn event(&mut self, event: &Event) -> Result<(), String> {
        if let Some(expected) = self.commits.take() {
            return is_committed(event, &expected);
        }
        let hand = self.hands.entry(event.actor.0).or_default();
        match &event.kind {
            EventKind::Requested(request) => {
                ensure!(hand.must_say.is_empty(), "does not say {:?}", hand.must_say);
                match request.part {
                    "memories" if hand.update.is_some() => self.updates(event, request),
                    "memories" => self.asks(event, request),
                    _ => self.locks(event, request),
                }
            }
            EventKind::Annotated(key, one, other) if *key == "came to" && hand.update.is_some() => {
                let update = hand.update.take().expect("there is one");
                // No attempt was left, so this actor has not got the lock.
                ensure!(update.stage == Stage::Locks && (*one, *other) == (LOCKED, 0), "{update:?}: {one}");
                self.seen.push("an update is locked out");
                Ok(())
            }
            EventKind::Annotated(key, one, other) => {
                match hand.must_say.pop_front() {
                    Some(note) => ensure!(note == (*key, *one, *other), "{key} {one} {other}, not {note:?}"),
                    None => hand.asked.push((key, *one, *other)),
                }
                if let ("changes", [("updates", id, _), (_, scope, _), (_, which, mark)]) =
                    (*key, hand.asked.as_slice())
                {
                    let nothing = Row::new(0, 0, 0);
                    hand.update = Some(Update {
                        id: *id,
                        scope: *scope,
                        changes: (*which, *mark),
                        stage: Stage::Locks,
                        original: nothing,
                        backup: nothing,
                    });
                    hand.asked.clear();
                }
                Ok(())
            }
            EventKind::Finished => {
                ensure!(hand.must_say.is_empty() && hand.update.is_none(), "is not done");
                Ok(())
            }
            EventKind::Crashed => {
                *hand = Hand::default();
                Ok(())
            }
            EventKind::Committed(changes) => Err(format!("{changes:?} comes from nowhere")),
            EventKind::Injected(Fault::CrashAfter) => {
                self.seen.push("dead after a commit");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Adds a row and returns the change.
    fn append(&mut self, row: Row) -> Change {
        self.key += 1;
        let version = self.versions.entry(row.id).or_default();
        *version += 1;
        let row = Row { version: *version, ..row };
        if self.newest(row.id).is_some() {
            self.seen.push("a row beside a newer one");
        }
        self.rows.insert(self.key, row);
        self.ever.insert((row.id, row.version), row);
        (self.key, None, Some(row))
    }

    fn newest(&self, id: i64) -> Option<Row> {
        self.rows.values().filter(|row| row.id == id).max_by_key(|row| row.version).copied()
    }

    /// Removes those rows and returns the changes.
    fn remove(&mut self, goes: impl Fn(&Row) -> bool) -> Vec<Change> {
        let going: Vec<(i64, Row)> =
            self.rows.iter().filter(|(_, row)| goes(row)).map(|(key, row)| (*key, *row)).collect();
        self.rows.retain(|_, row| !goes(row));
        going.into_iter().map(|(key, row)| (key, Some(row), None)).collect()
    }

    /// A write of those ids with that effect. Returns whether its writer gets the reply.
    fn writes(
        &mut self,
        event: &Event,
        request: &Request,
        ids: &[i64],
        effect: impl FnOnce(&mut Self) -> Vec<Change>,
    ) -> Result<bool, String> {
        let field = match ids {
            [id] => ("id", Value::Integer(*id)),
            _ => ("rows", Value::Integer(ids.len() as i64)),
        };
        ensure!(request.body == [field.clone()], "it asks for {field:?}");
        if !request.arrived {
            ensure!(!request.heard, "hears of what has not arrived");
            self.seen.push("a request lost");
            return Ok(false);
        }
        let changes = effect(self);
        if changes.is_empty() {
            self.seen.push("nothing committed");
        } else {
            self.commits = Some((event.actor.0, event.step, changes));
        }
        if !request.heard {
            self.seen.push("a reply lost");
        }
        Ok(request.heard)
    }

    /// A plain request: it must be the one that was annotated before.
    fn asks(&mut self, event: &Event, request: &Request) -> Result<(), String> {
        let asked = std::mem::take(&mut self.hand(event).asked);
        let of: Vec<i64> = asked.iter().filter(|(key, ..)| *key == "of").map(|(_, id, _)| *id).collect();
        let mut sent = Vec::new();
        for pair in asked.windows(2) {
            if let [("sends", id, mark), ("expects", version, _)] = pair {
                sent.push(Row::new(*id, *version, *mark));
            }
        }
        let sent_ids: Vec<i64> = sent.iter().map(|row| row.id).collect();
        let broken = sent.iter().any(|row| row.vector.is_none());
        if broken && sent.len() > 1 {
            self.seen.push("refused for a vector, others with it");
        }
        let refusal = if broken { NULL_VECTOR } else { DONE };
        let read = |(key, id, version): &Note| (*key == "of").then_some((*id, *version));
        let read: Vec<(i64, i64)> = asked.iter().filter_map(read).collect();
        let mut updated = None;
        let heard = match request.label {
            "get" | "query" | "list" => return self.reads(event, request, &asked, &of),
            "remove" => self.writes(event, request, &of, |it| it.remove(|row| of.contains(&row.id)))?,
            "put" if broken => self.writes(event, request, &sent_ids, |_| Vec::new())?,
            "put" => {
                self.writes(event, request, &sent_ids, |it| sent.iter().map(|row| it.append(*row)).collect())?
            }
            "merge" if broken => self.writes(event, request, &sent_ids, |_| Vec::new())?,
            "merge" => self.writes(event, request, &sent_ids, |it| it.merges(&sent, &mut updated))?,
            "delete-old" => self.writes(event, request, &of, |it| it.deletes_unchanged(&read))?,
            other => return Err(format!("{other} has no place here")),
        };
        let must_say = &mut self.hand(event).must_say;
        if heard && refusal == DONE {
            must_say.extend(updated.map(|updated| ("updated", updated, 0)));
        }
        must_say.push_back(("came to", if heard { refusal } else { UNKNOWN }, 0));
        Ok(())
    }

    fn merges(&mut self, sent: &[Row], updated: &mut Option<i64>) -> Vec<Change> {
        let (mut changes, mut count) = (Vec::new(), 0);
        for row in sent {
            let read = self.ever[&(row.id, row.version)];
            let mut replaced = self.remove(|there| there.holds_the_same(read));
            if replaced.is_empty() {
                self.seen.push("a merge overtaken");
                continue;
            }
            changes.append(&mut replaced);
            changes.push(self.append(*row));
            count += 1;
            self.seen.push("a merge");
        }
        if count > 1 {
            self.seen.push("a merge of two ids");
        }
        *updated = Some(count);
        changes
    }

    fn deletes_unchanged(&mut self, read: &[(i64, i64)]) -> Vec<Change> {
        let read: Vec<Row> = read.iter().map(|known| self.ever[known]).collect();
        let changes = self.remove(|row| read.iter().any(|read| row.holds_the_same(*read)));
        if !changes.is_empty() {
            self.seen.push("deleted unchanged");
        }
        changes
    }

    fn reads(&mut self, event: &Event, request: &Request, asked: &[Note], of: &[i64]) -> Result<(), String> {
        ensure!(request.arrived && request.heard, "a read is lost");
        let (body, got): (Vec<_>, Vec<Row>) = match request.label {
            "get" => (vec![("id", Value::Integer(of[0]))], self.newest(of[0]).into_iter().collect()),
            "query" => {
                let mut once = of.to_vec();
                once.dedup();
                if once.len() < of.len() {
                    self.seen.push("one id twice in a read");
                }
                let rows = Value::Integer(of.len() as i64);
                (vec![("rows", rows)], once.iter().filter_map(|id| self.newest(*id)).collect())
            }
            _ => {
                let Some(("within", scope, _)) = asked.first() else { return Err("no scope".to_owned()) };
                let is_newest = |row: &&Row| self.newest(row.id).as_ref() == Some(*row);
                let got = self.rows.values().filter(is_newest).filter(|row| row.is_in(*scope));
                let got = got.copied().collect();
                if *scope == 0 {
                    (Vec::new(), got)
                } else {
                    self.seen.push("a list within a scope");
                    (vec![("scope", Value::from(SCOPES[*scope as usize - 1]))], got)
                }
            }
        };
        ensure!(request.body == body, "it asks for {body:?}");
        let must_say = &mut self.hand(event).must_say;
        got.iter().for_each(|row| must_say.extend(row.told()));
        must_say.push_back(("rows", got.len() as i64, 0));
        Ok(())
    }

    fn hand(&mut self, event: &Event) -> &mut Hand {
        self.hands.entry(event.actor.0).or_default()
    }
}

/// Checks that the event is that commit.
fn is_committed(event: &Event, (actor, step, changes): &Commit) -> Result<(), String> {
    let EventKind::Committed(committed) = &event.kind else {
        return Err(format!("{changes:?} is not committed"));
    };
    ensure!((event.actor.0, event.step) == (*actor, *step), "{changes:?} is another's, or late");
    ensure!(committed.iter().all(|change| change.table.name == "memories"), "another table");
    let row = |row: Row| row.columns();
    let expected: Vec<_> =
        changes.iter().map(|(key, before, after)| (*key, before.map(row), after.map(row))).collect();
    let row = |row: &retrial_sim::engine::Row| row.to_vec();
    let found = committed.iter();
    let found: Vec<_> = found
        .map(|change| (change.key, change.before.as_ref().map(row), change.after.as_ref().map(row)))
        .collect();
    ensure!(found == expected, "{found:?} is committed, not {expected:?}");
    Ok(())
}
