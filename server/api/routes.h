/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The handlers of the routing table in api.c; schema/openapi.yaml says what each one does. */

#include "server/api/call.h"

/* documents.c */
call_handle topology_put, topology_get, costs_put, costs_get;
bool document_type(struct call *c, enum store_kind kind); /* false: 415 */

/* links.c */
call_handle links_get;

/* lifecycle.c */
call_handle versions_get, version_plan, version_approve, version_activate, version_cancel,
	provider_roll_back;
call_handle settings_get, settings_put;

/* agreements.c */
call_handle policies_get, policy_get, policy_put, policy_delete, policy_versions;
call_handle report_contracts_get, report_policies_get;
call_handle contracts_get, contract_get, contract_put, contract_delete, contract_versions;

/* statements.c */
call_handle statements_get, statement_post, statement_get, statement_verify_get;

/* traffic.c */
call_handle interconnects_get, interconnect_put, balance_get, quality_get, series_get, steering_get,
	matrix_get, top_get, samples_post;

/* samples_post.c */
bool samples_type(struct call *c, bool *csv); /* false: 415 */

/* tokens.c */
call_handle tokens_get, token_post, token_patch, token_delete, token_rotate;

/* admin.c */
call_handle passkeys_get, passkey_post, passkey_delete;

/* audit.c */
call_handle audit_get, audit_verify_get;

/* claims.c */
call_handle asns_get, asns_put;
call_handle delegations_get, delegation_put, delegation_delete;

/* admission.c */
call_handle access_get, access_put, access_delete;
call_handle denied_get, denied_put, denied_delete;
call_handle clients_get, client_put, client_delete;

/* alarms.c */
call_handle alarms_get, alarm_events_get, alarm_ack, alarm_mute;
call_handle alarm_rules_get, alarm_rule_put;

/* webhooks.c */
call_handle webhooks_get, webhook_put, webhook_delete, webhook_test;

/* exporters.c */
call_handle exporters_get;

/* open.c */
call_handle metrics_get, healthz_get, readyz_get, page_get;

/* swarms.c */
call_handle swarms_get, swarm_explain;
