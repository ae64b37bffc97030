-- The health of an OAuthCredential, an OAuthProvider or a ClusterOAuthProvider, for Argo CD. It runs
-- with what Argo CD gives to every script, without the string library.

local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready, stalled, expiring = conditions.Ready, conditions.Stalled, conditions.RefreshTokenExpiring

local function is(condition)
  return condition ~= nil and condition.status == "True"
end

local function health(state, message)
  return {status = state, message = message}
end

if ready == nil or status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "The operator has not come to this spec yet")
end
if obj.spec.suspend then
  return health("Suspended", ready.message)
end
-- A login is not a failure: a sync waits for it, and goes on after it.
if is(stalled) and stalled.reason == "AuthorizationRequired" then
  return health("Suspended", stalled.message)
end
-- Also while the token is good: nothing but a person keeps it from running out.
if is(stalled) then
  return health("Degraded", stalled.message)
end
if is(ready) and is(expiring) then
  return health("Healthy", ready.message .. "; " .. expiring.message)
end
if is(ready) then
  return health("Healthy", ready.message)
end
-- Ready ended when the token did, not by an edit: whoever uses the token is refused by now. Instants
-- in UTC are in order as strings.
if status.expiresAt ~= nil and status.expiresAt <= ready.lastTransitionTime then
  return health("Degraded", ready.message)
end
return health("Progressing", ready.message)
