namespace BpfRemote.Client.Identity;

/// <summary>The two sides do not accept each other, or the caller's proof of who it is cannot be read.</summary>
/// <param name="message">What is wrong, as the end of a sentence.</param>
/// <param name="advice">What to check, as a sentence.</param>
/// <param name="cause">What it was noticed by.</param>
#pragma warning disable CA1064 // callers see the AgentUnreachableException that is made of it
internal sealed class IdentityException(string message, string advice, Exception? cause = null) : Exception(message, cause)
#pragma warning restore CA1064
{
    /// <summary>What to check.</summary>
    public string Advice { get; } = advice;

    /// <summary>Whether trying again may succeed: files that were good before are perhaps just being replaced.</summary>
    public bool MayPass { get; init; }
}
