-- Optional, for a fleet beyond one PostgreSQL: distributes the tables that grow
-- with it over the nodes of a Citus cluster. It is run once, on the coordinator,
-- while no collector runs: meetguard-collector store distribute.
--
-- The tables are distributed by agent_uid and colocated, so that all rows of an
-- agent lie on one node. What is left stays on the coordinator: it is small
-- (credentials: some rows for each agent, looked up by their hash), or one row
-- that all wait for (counter). So every collector is given the coordinator's
-- address, and a standby of each node where it must not fail.
--
-- What the statements of the store heed for this: every unique key of a
-- distributed table begins with agent_uid; there are no foreign keys, triggers,
-- sequences and defaults that are computed; whatever is done for each batch,
-- heartbeat or change names one agent, one table and nothing below it; rows are
-- locked only where the agent is named. Pages for people read from all nodes.
SELECT create_distributed_table('agents', 'agent_uid');
SELECT create_distributed_table('alert_keys', 'agent_uid', colocate_with => 'agents');
SELECT create_distributed_table('alerts', 'agent_uid', colocate_with => 'agents');
SELECT create_distributed_table('alert_events', 'agent_uid', colocate_with => 'agents');
SELECT create_distributed_table('conflicts', 'agent_uid', colocate_with => 'agents');
SELECT create_distributed_table('dead_letters', 'agent_uid', colocate_with => 'agents');
