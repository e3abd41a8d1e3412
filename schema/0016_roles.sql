-- Roles that read less than an analyst, or let pass what another wrote.
ALTER TYPE token_role ADD VALUE 'approver';
ALTER TYPE token_role ADD VALUE 'auditor';
ALTER TYPE token_role ADD VALUE 'viewer';
