using System.Buffers.Binary;
using System.Security.Cryptography;

namespace BpfRemote.Agent.Tokens;

/// <summary>The keys that seal tokens: one in use, the one before it still opens. Safe for concurrent use.</summary>
/// <remarks>
/// Kept in a file of the runtime directory (mode 0600) over restarts; the directory goes with the boot, as map ids do. Keys rotate
/// daily, so a token lives 24 to 48 hours. Two agents that share the directory, one draining and one starting, share the keys.
/// </remarks>
internal sealed partial class TokenKeyRing
{
    private const string FileName = "token.keys";
    private const int RecordSize = sizeof(uint) + sizeof(long) + TokenKey.Size;

    private static readonly TimeSpan RotateAfter = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger<TokenKeyRing> _log;
    private TokenKey[] _keys = [];

    /// <param name="directory">Where the keys are kept; created with mode 0700 where it is missing.</param>
    /// <param name="time">The clock that rotation follows.</param>
    /// <param name="log">Where a key file that cannot be used is reported.</param>
    public TokenKeyRing(string directory, TimeProvider time, ILogger<TokenKeyRing> log)
    {
        _path = Path.Combine(directory, FileName);
        _time = time;
        _log = log;
        CreateDirectory(directory);
        _ = Current;
    }

    /// <summary>Makes a directory that is for its owner alone, where it is missing.</summary>
    public static void CreateDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>The key to seal with; rotates when the day is over.</summary>
    public TokenKey Current
    {
        get
        {
            DateTimeOffset now = _time.GetUtcNow();
            lock (_lock)
            {
                if (!IsFresh(now))
                {
                    // Another agent on the same directory may have rotated already.
                    Adopt(Load());
                }

                if (!IsFresh(now))
                {
                    _keys = [TokenKey.Create(now), .. _keys.Take(1)];
                    Save();
                }

                return _keys[0];
            }
        }
    }

    /// <summary>The key of an id, or null where it is unknown or too old.</summary>
    public TokenKey? Find(uint id)
    {
        lock (_lock)
        {
            if (Array.Find(_keys, key => key.Id == id) is null)
            {
                Adopt(Load());
            }

            DateTimeOffset now = _time.GetUtcNow();
            return Array.Find(_keys, key => key.Id == id && now - key.CreatedAt < 2 * RotateAfter);
        }
    }

    private bool IsFresh(DateTimeOffset now) => _keys is [var newest, ..] && now - newest.CreatedAt < RotateAfter;

    /// <summary>Takes in the keys that another agent on the same directory made. A key in use is never dropped for what a file lacks.</summary>
    private void Adopt(TokenKey[] stored) =>
        _keys = [.. _keys.UnionBy(stored, key => key.Id).OrderByDescending(key => key.CreatedAt).Take(2)];

    private TokenKey[] Load()
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(_path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }

        if (file.Length is not (RecordSize or 2 * RecordSize))
        {
            LogUnusable(_path, file.Length);
            return [];
        }

        return [.. file.Chunk(RecordSize).Select(record => new TokenKey(
            BinaryPrimitives.ReadUInt32LittleEndian(record),
            DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(sizeof(uint)))),
            record.AsSpan(sizeof(uint) + sizeof(long))))];
    }

    private void Save()
    {
        byte[] file = new byte[RecordSize * _keys.Length];
        for (int i = 0; i < _keys.Length; i++)
        {
            Span<byte> record = file.AsSpan(i * RecordSize, RecordSize);
            BinaryPrimitives.WriteUInt32LittleEndian(record, _keys[i].Id);
            BinaryPrimitives.WriteInt64LittleEndian(record[sizeof(uint)..], _keys[i].CreatedAt.ToUnixTimeSeconds());
            _keys[i].Secret.CopyTo(record[(sizeof(uint) + sizeof(long))..]);
        }

        // Written beside and renamed over: a reader finds the old keys or the new ones.
        string temporary = $"{_path}.{Environment.ProcessId}";
        File.Delete(temporary);
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (FileStream stream = new(temporary, options))
        {
            stream.Write(file);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, _path, overwrite: true);
        CryptographicOperations.ZeroMemory(file);
    }

    [LoggerMessage(EventId = 201, Level = LogLevel.Warning,
        Message = "Key file {Path} of {Length} bytes cannot be used: starting with new keys, tokens given before are void")]
    private partial void LogUnusable(string path, int length);
}
