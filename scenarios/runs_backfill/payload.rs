//! A run's payload (`action_input`) and the scope that the run truly belongs to. Production has all of these shapes.

use retrial_sim::engine::Value;
use serde::{Deserialize, Serialize};

/// The shape of a run's `action_input`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// A chat run: both keys are strings.
    Chat,
    /// A connector's run (sync, action, watcher, auth): neither key.
    Connector,
    /// The agent's key is present, its value is null.
    NullAgent,
    /// Only the agent's key.
    AgentOnly,
    /// Only the conversation's key.
    ConversationOnly,
    /// The agent is an empty string.
    EmptyAgent,
    /// The agent is a number instead of a string.
    NumberAgent,
}

/// The agent or the conversation that a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// The one in every chat run.
    Right,
    /// One that is in no run.
    Wrong,
    /// An empty string.
    Empty,
    /// The number of [`Payload::NumberAgent`], as a string.
    Number,
}

/// The organization of every run.
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

    /// The document, as Postgres prints a jsonb. Documents that the gateway's queue inserts name their organization.
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

    /// The same document as a JSON string, which is what the driver stores for text passed as a jsonb.
    pub(super) fn json_string(self) -> String {
        format!("\"{}\"", self.json().replace('"', "\\\""))
    }

    /// The payload of a document, whether it is stored as an object or as a JSON string.
    pub(super) fn of(json: &str) -> Option<Payload> {
        Payload::ALL.into_iter().find(|payload| payload.json() == json || payload.json_string() == json)
    }

    /// Whether the gateway's queue inserts it. A connector's run is inserted by other code and always has its
    /// organization (`runs_legacy_org_required`).
    pub(super) fn is_queued(self) -> bool {
        self != Payload::Connector
    }

    /// The agent as `action_input->>'agentId'` returns it.
    pub(super) fn agent(self) -> Option<&'static str> {
        match self {
            Payload::Chat | Payload::AgentOnly => Some(AGENT),
            Payload::EmptyAgent => Some(""),
            Payload::NumberAgent => Some("7"),
            Payload::Connector | Payload::NullAgent | Payload::ConversationOnly => None,
        }
    }

    /// The conversation as `action_input->>'conversationId'` returns it.
    pub(super) fn conversation(self) -> Option<&'static str> {
        (!matches!(self, Payload::Connector | Payload::AgentOnly)).then_some(CONVERSATION)
    }

    /// What the new gateway writes into the columns: only non-empty strings.
    pub(super) fn columns(self) -> [Value; 2] {
        let is_text = !matches!(self, Payload::EmptyAgent | Payload::NumberAgent);
        let value = |text: Option<&str>| text.map_or(Value::Null, Value::from);
        [value(self.agent().filter(|_| is_text)), value(self.conversation())]
    }
}

impl Named {
    /// Every variant.
    pub(super) const ALL: [Named; 4] = [Named::Right, Named::Wrong, Named::Empty, Named::Number];

    /// Its agent id.
    pub(super) fn agent(self) -> &'static str {
        match self {
            Named::Right => AGENT,
            Named::Wrong => "a2",
            Named::Empty => "",
            Named::Number => "7",
        }
    }

    /// Its conversation id.
    pub(super) fn conversation(self) -> &'static str {
        match self {
            Named::Right => CONVERSATION,
            Named::Wrong => "c2",
            Named::Empty => "",
            Named::Number => "7",
        }
    }
}
