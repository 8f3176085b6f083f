namespace BpfRemote.Agent.Access.Bearer;

/// <summary>An issuer whose bearer tokens (JWT) are taken over TLS. The agent asks nobody: keys come from a file.</summary>
public sealed record TokenIssuerOptions
{
    /// <summary>The <c>iss</c> of its tokens: an absolute URI without <c>#</c>.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>The <c>aud</c> that its tokens must have: this agent, not another service of the issuer's.</summary>
    public string Audience { get; set; } = "";

    /// <summary>A file with the issuer's public keys (JWKS); read anew when it changes.</summary>
    public string JwksFile { get; set; } = "";

    /// <summary>Claims that name groups of the subject: value V of claim C is group <c>jwt-group:issuer#C=V</c>. Default: none.</summary>
    public IReadOnlyList<string> GroupsClaims { get; set; } = [];

    /// <summary>Everything wrong with these options; empty for nothing.</summary>
    /// <param name="path">Where they are in the configuration.</param>
    public IEnumerable<string> Violations(string path)
    {
        if (!Uri.TryCreate(Issuer, UriKind.Absolute, out _) || Issuer.Contains('#', StringComparison.Ordinal))
        {
            yield return $"{path}.issuer is '{Issuer}'; expected an absolute URI without '#'";
        }

        if (Audience.Length == 0)
        {
            yield return $"{path}.audience is empty; expected what tokens for this agent have as aud";
        }

        if (JwksFile.Length == 0)
        {
            yield return $"{path}.jwksFile is empty; expected a file with the issuer's public keys";
        }

        foreach (string claim in GroupsClaims.Where(claim => string.IsNullOrEmpty(claim) || claim.Contains('=', StringComparison.Ordinal)))
        {
            yield return $"{path}.groupsClaims holds '{claim}'; expected names of claims without '='";
        }
    }
}
