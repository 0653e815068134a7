function c(e,t){return globalThis.trustedTypes?.createPolicy(e,t)??t}export{c as a};
