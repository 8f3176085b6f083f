using Grpc.Core;

namespace BpfRemote.Client.Identity;

/// <summary>A token that goes with every call, read for each: whoever issues it replaces the file before it expires.</summary>
internal sealed class BearerToken(string path)
{
    // An agent takes headers of 8 KiB, all together.
    private const int MaxLength = 8 << 10;

    private readonly IdentityFile _file = new("token file", path);
    private volatile bool _wasGood;

    /// <summary>Sends it, over TLS only.</summary>
    public ChannelCredentials OverTls() =>
        ChannelCredentials.Create(ChannelCredentials.SecureSsl, CallCredentials.FromInterceptor(AuthorizeAsync));

    private Task AuthorizeAsync(AuthInterceptorContext context, Metadata metadata)
    {
        try
        {
            metadata.Add("authorization", $"Bearer {Read()}");
            _wasGood = true;
            return Task.CompletedTask;
        }
        catch (IdentityException error) when (_wasGood)
        {
            throw IdentityFile.MaybePassing(error);
        }
    }

    private string Read()
    {
        string token = _file.ReadText().Trim();
        return token.Length == 0 ? throw _file.Error("is empty")
            : token.Length > MaxLength ? throw _file.Error($"holds no token: at most {MaxLength} characters make one")
            : token.AsSpan().ContainsAnyExceptInRange('!', '~') ? throw _file.Error("holds no token: that is one line of visible ASCII")
            : token;
    }
}
