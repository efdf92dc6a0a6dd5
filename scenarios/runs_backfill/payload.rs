//! What a run was given (`action_input`), and which scopes are truly its own. Production has all of these shapes.

use retrial_sim::engine::Value;
use serde::{Deserialize, Serialize};

/// The shape of a run's `action_input`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// A chat run: both keys are texts.
    Chat,
    /// A connector's run (sync, action, watcher, auth): neither key.
    Connector,
    /// The key is there and its value is null.
    NullAgent,
    /// Only the agent's key.
    AgentOnly,
    /// Only the conversation's key.
    ConversationOnly,
    /// The agent is an empty text.
    EmptyAgent,
    /// The agent is a number where a text is expected.
    NumberAgent,
}

/// Whom a token names as an agent or a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// Who is in every chat run.
    Right,
    /// Somebody who is in no run.
    Wrong,
    /// Nobody: an empty text.
    Empty,
    /// The number that stands where a text is expected.
    Number,
}

/// Whom everything belongs to.
pub(super) const ORGANIZATION: &str = "org1";

/// Another tenant.
pub(super) const OTHER_ORGANIZATION: &str = "org2";

const AGENT: &str = "a1";
const CONVERSATION: &str = "c1";

impl Payload {
    /// Every shape.
    pub(super) const ALL: [Payload; 7] = [
        Payload::Chat,
        Payload::Connector,
        Payload::NullAgent,
        Payload::AgentOnly,
        Payload::ConversationOnly,
        Payload::EmptyAgent,
        Payload::NumberAgent,
    ];

    /// The document, spelled as Postgres prints a jsonb. What the gateway's queue is given names its organization.
    pub(super) fn json(self) -> &'static str {
        match self {
            Payload::Chat => r#"{"agentId": "a1", "conversationId": "c1", "organizationId": "org1"}"#,
            Payload::Connector => r#"{"feedId": 7}"#,
            Payload::NullAgent => r#"{"agentId": null, "conversationId": "c1", "organizationId": "org1"}"#,
            Payload::AgentOnly => r#"{"agentId": "a1", "organizationId": "org1"}"#,
            Payload::ConversationOnly => r#"{"conversationId": "c1", "organizationId": "org1"}"#,
            Payload::EmptyAgent => r#"{"agentId": "", "conversationId": "c1", "organizationId": "org1"}"#,
            Payload::NumberAgent => r#"{"agentId": 7, "conversationId": "c1", "organizationId": "org1"}"#,
        }
    }

    /// The same document as a JSON string, as the driver stores a text that it is given for a jsonb.
    pub(super) fn json_string(self) -> String {
        format!("\"{}\"", self.json().replace('"', "\\\""))
    }

    /// The shape of that document, whichever way it is stored.
    pub(super) fn of(json: &str) -> Option<Payload> {
        Payload::ALL.into_iter().find(|payload| payload.json() == json || payload.json_string() == json)
    }

    /// Whether the gateway's queue adds it. A connector's run has its own way into the table, and always has its
    /// organization (`runs_legacy_org_required`).
    pub(super) fn is_queued(self) -> bool {
        self != Payload::Connector
    }

    /// The agent as `action_input->>'agentId'` gives it.
    pub(super) fn agent(self) -> Option<&'static str> {
        match self {
            Payload::Chat | Payload::AgentOnly => Some(AGENT),
            Payload::EmptyAgent => Some(""),
            Payload::NumberAgent => Some("7"),
            Payload::Connector | Payload::NullAgent | Payload::ConversationOnly => None,
        }
    }

    /// The conversation as `action_input->>'conversationId'` gives it.
    pub(super) fn conversation(self) -> Option<&'static str> {
        (!matches!(self, Payload::Connector | Payload::AgentOnly)).then_some(CONVERSATION)
    }

    /// What the new gateway writes into the columns: it takes only texts that are not empty.
    pub(super) fn columns(self) -> [Value; 2] {
        let is_text = !matches!(self, Payload::EmptyAgent | Payload::NumberAgent);
        let value = |text: Option<&str>| text.map_or(Value::Null, Value::from);
        [value(self.agent().filter(|_| is_text)), value(self.conversation())]
    }
}

impl Named {
    /// Every name.
    pub(super) const ALL: [Named; 4] = [Named::Right, Named::Wrong, Named::Empty, Named::Number];

    /// As an agent.
    pub(super) fn agent(self) -> &'static str {
        match self {
            Named::Right => AGENT,
            Named::Wrong => "a2",
            Named::Empty => "",
            Named::Number => "7",
        }
    }

    /// As a conversation.
    pub(super) fn conversation(self) -> &'static str {
        match self {
            Named::Right => CONVERSATION,
            Named::Wrong => "c2",
            Named::Empty => "",
            Named::Number => "7",
        }
    }
}
