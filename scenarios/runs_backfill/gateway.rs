//! A release of the gateway: how it adds a run (`RunsQueue.send`), and how it checks whether a run belongs to the agent
//! and the conversation that a worker's token names (`isRunOwnedByJwtScope`).

use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::engine::{SqlError, Value};
use retrial_sim::parts::notifier::Notifier;
use retrial_sim::parts::pool::Pool;

use super::payload::{ORGANIZATION, Payload};
use super::workload::{Ask, Workload};

/// The gateway's behaviour, as far as it differs between releases.
#[derive(Clone, Copy, Debug)]
pub struct Gateway {
    /// Whether it writes the two columns in addition to the document.
    pub writes_columns: bool,
    /// Whether it writes the run's organization.
    pub organization: Organization,
    /// Whether it passes the document to the driver as text, which stores it as a JSON string.
    pub stores_string: bool,
    /// The verifier's query; its parameters are run, organization, agent, conversation.
    pub verifier: &'static str,
}

/// Whether a release's INSERT writes the run's organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Organization {
    /// Written.
    Written,
    /// Not written.
    LeftOut,
    /// Not written in production (`as_stored`); written everywhere else, as the pull request assumed.
    TakenForGranted,
}

/// The release before the pull request: lobu at 8d1beeed, packages/server/src/gateway/gateway/transcript-routes.ts.
/// The `runs-queue.ts` of that commit is not archived; pull request 873 says that it restores it, and an earlier
/// version writes no organization either.
pub const JSON: Gateway = Gateway {
    writes_columns: false,
    organization: Organization::TakenForGranted,
    stores_string: true,
    verifier: JSON_READ,
};

/// The pull request as it was opened: the verifier reads only the columns.
pub const SCALAR: Gateway = Gateway { verifier: SCALAR_READ, ..COALESCE };

/// The pull request from its second push on: the verifier falls back to the document. lobu at d4691a73,
/// packages/server/src/gateway/infrastructure/queue/runs-queue.ts and gateway/transcript-routes.ts.
pub const COALESCE: Gateway = Gateway {
    writes_columns: true,
    organization: Organization::Written,
    stores_string: true,
    verifier: COALESCE_READ,
};

/// Pull request 873: lobu at 230d7bc4, the same files. The INSERT writes neither the columns nor the organization.
pub const REVERTED: Gateway = Gateway { organization: Organization::LeftOut, ..JSON };

/// Pull requests 877 and 883: lobu at 0c32c181, the same files. The document is stored as an object, the organization
/// is written, and the verifier unwraps a JSON string.
pub const UNWRAPPED: Gateway = Gateway {
    writes_columns: false,
    organization: Organization::Written,
    stores_string: false,
    verifier: UNWRAPPED_READ,
};

const JSON_READ: &str = "
    SELECT 1 FROM runs
    WHERE id = $1 AND organization_id = $2
      AND (action_input ->> 'agentId') = $3
      AND (action_input ->> 'conversationId') = $4
    LIMIT 1";

const SCALAR_READ: &str = "
    SELECT 1 FROM runs
    WHERE id = $1 AND organization_id = $2 AND agent_id = $3 AND conversation_id = $4
    LIMIT 1";

const COALESCE_READ: &str = "
    SELECT 1 FROM runs
    WHERE id = $1 AND organization_id = $2
      AND COALESCE(agent_id, action_input ->> 'agentId') = $3
      AND COALESCE(conversation_id, action_input ->> 'conversationId') = $4
    LIMIT 1";

const UNWRAPPED_READ: &str = "
    SELECT 1 FROM runs
    WHERE id = $1 AND organization_id = $2
      AND CASE jsonb_typeof(action_input)
            WHEN 'object' THEN action_input ->> 'agentId'
            WHEN 'string' THEN (action_input #>> '{}')::jsonb ->> 'agentId'
            ELSE NULL
          END = $3
      AND CASE jsonb_typeof(action_input)
            WHEN 'object' THEN action_input ->> 'conversationId'
            WHEN 'string' THEN (action_input #>> '{}')::jsonb ->> 'conversationId'
            ELSE NULL
          END = $4
    LIMIT 1";

const ADD: &str = "
    INSERT INTO runs (organization_id, action_input) VALUES ($1, $2::jsonb)";

const ADD_WITH_COLUMNS: &str = "
    INSERT INTO runs (organization_id, action_input, agent_id, conversation_id) VALUES ($1, $2::jsonb, $3, $4)";

/// The readiness probe: it fails unless the columns that the release needs exist.
const READY: &str = "SELECT agent_id, conversation_id FROM runs WHERE false";

/// The pause between two readiness probes (Kubernetes' `periodSeconds`).
const PROBE: Duration = Duration::from_secs(10);

impl Gateway {
    /// Waits until the columns that the release needs exist; its pod is not ready before. The pod is notified when the
    /// migration ends, and also probes on its own, so it may be ready long before that.
    pub(super) async fn get_ready(self, actor: &Actor, pool: &Pool, deployed: &Notifier) {
        if self.writes_columns {
            while pool.execute(actor, "probe", READY, []).await.is_err() {
                deployed.wait(actor, PROBE).await;
            }
        }
    }

    /// Adds a run. `as_stored` selects how rows are stored: as in production, or as the pull request assumed.
    pub(super) async fn add(
        self,
        actor: &Actor,
        pool: &Pool,
        payload: Payload,
        as_stored: bool,
    ) -> Result<(), SqlError> {
        let mut params = self.row(payload, as_stored).to_vec();
        if self.writes_columns {
            params.extend(payload.columns());
        }
        let sql = if self.writes_columns { ADD_WITH_COLUMNS } else { ADD };
        pool.execute(actor, "add", sql, params).await.map(|_| ())
    }

    /// The organization and the document that it writes for a run.
    pub(super) fn row(self, payload: Payload, as_stored: bool) -> [Value; 2] {
        let writes = match self.organization {
            Organization::Written => true,
            Organization::LeftOut => false,
            Organization::TakenForGranted => !as_stored,
        };
        let organization = if writes || !payload.is_queued() { ORGANIZATION.into() } else { Value::Null };
        let is_string = self.stores_string && as_stored && payload.is_queued();
        let document = if is_string { payload.json_string().into() } else { payload.json().into() };
        [organization, document]
    }

    /// Queries the verifier. The answer is in the trace; an error is ignored, since retrying is up to the client.
    pub(super) async fn verify(self, actor: &Actor, pool: &Pool, workload: &Workload, ask: Ask) {
        let params = [
            workload.id(ask.run).into(),
            ask.organization().into(),
            ask.agent.agent().into(),
            ask.conversation.conversation().into(),
        ];
        let _ = pool.execute(actor, "verify", self.verifier, params).await;
    }
}
