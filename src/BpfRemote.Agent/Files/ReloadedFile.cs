using System.Security.Cryptography;

namespace BpfRemote.Agent.Files;

/// <summary>What files say, read anew when they change. Where a change cannot be used, what they said before stays in force.</summary>
internal interface IReloadedFile
{
    /// <summary>Reads the files, and takes over what they say where that changed.</summary>
    void Refresh();
}

/// <summary>What files say, as a value. Safe for concurrent use.</summary>
/// <typeparam name="T">An immutable value.</typeparam>
internal sealed partial class ReloadedFile<T> : IReloadedFile
    where T : class
{
    private readonly string[] _paths;
    private readonly Func<byte[][], T> _parse;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private byte[] _digest;
    private volatile T _current;

    /// <summary>Reads the files for the first time.</summary>
    /// <param name="paths">The files.</param>
    /// <param name="parse">Makes the value of their contents, in their order; throws where that cannot be used.</param>
    /// <param name="log">Where changes are reported.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    public ReloadedFile(IEnumerable<string> paths, Func<byte[][], T> parse, ILogger log)
    {
        _paths = [.. paths];
        _parse = parse;
        _log = log;
        byte[][] contents = Read();
        _digest = DigestOf(contents);
        _current = parse(contents);
    }

    /// <summary>The value in force.</summary>
    public T Current => _current;

    /// <inheritdoc/>
    public void Refresh()
    {
        lock (_lock)
        {
            string names = string.Join(", ", _paths);
            byte[][] contents;
            try
            {
                contents = Read();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Reject([], names, e);
                return;
            }

            byte[] digest = DigestOf(contents);
            if (digest.AsSpan().SequenceEqual(_digest))
            {
                return;
            }

            try
            {
                _current = _parse(contents);
                _digest = digest;
                LogReloaded(names);
            }
            catch (Exception e)
            {
                // Whatever a parser throws at a broken file: the node is served as before.
                Reject(digest, names, e);
            }
        }
    }

    /// <summary>Says once, not at every look, that a change cannot be used.</summary>
    private void Reject(byte[] digest, string names, Exception reason)
    {
        if (!digest.AsSpan().SequenceEqual(_digest))
        {
            _digest = digest;
            LogRejected(names, reason.Message);
        }
    }

    private byte[][] Read() => [.. _paths.Select(File.ReadAllBytes)];

    private static byte[] DigestOf(byte[][] contents) => SHA256.HashData([.. contents.SelectMany(SHA256.HashData)]);

    [LoggerMessage(EventId = 601, Level = LogLevel.Information, Message = "{Files} changed: in force from now on")]
    private partial void LogReloaded(string files);

    [LoggerMessage(EventId = 602, Level = LogLevel.Error, Message = "{Files} changed and cannot be used, what was read before stays in force: {Reason}")]
    private partial void LogRejected(string files, string reason);
}
