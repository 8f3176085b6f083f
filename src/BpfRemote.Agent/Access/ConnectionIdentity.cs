namespace BpfRemote.Agent.Access;

/// <summary>What a listener knows of a connection before its first call.</summary>
/// <param name="Caller">Who is at the other end; null where only a token will tell.</param>
/// <param name="Peer">Where the connection comes from.</param>
/// <param name="TakesTokens">Whether calls may say by a bearer token who they are from: over TLS, where issuers are configured.</param>
internal sealed record ConnectionIdentity(Caller? Caller, string Peer, bool TakesTokens)
{
    /// <summary>Whose the connection is, as far as it is known before a token is seen: the caller, else the address it comes from.</summary>
    public string Account => Caller?.Principal ?? $"tls:{Peer[..Math.Max(Peer.LastIndexOf(':'), 0)]}";

    /// <summary>Of a connection that proves who is at the other end, and takes no other word for it.</summary>
    public static ConnectionIdentity Of(Caller caller) => new(caller, caller.Peer, TakesTokens: false);
}
