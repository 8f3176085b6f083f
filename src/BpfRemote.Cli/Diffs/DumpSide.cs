using System.Text.Json;
using BpfRemote.Client;

namespace BpfRemote.Cli.Diffs;

/// <summary>
/// A dump in a file: what <c>-j map dump</c> or <c>-o ndjson map dump</c> of this program or bpftool's <c>-j map dump</c> printed. It is
/// read in pieces, however large it is.
/// </summary>
internal sealed class DumpSide(string path) : DiffSide
{
    private const int FirstBuffer = 256 << 10;
    private const int MaxEntryBytes = 256 << 20;

    private readonly DumpEntry _entry = new(path);

    /// <summary>Its bytes say nothing of what they are: bpftool's <c>formatted</c> is for people.</summary>
    public override Task<MapSchema?> FindSchemaAsync(CancellationToken cancellationToken) => Task.FromResult<MapSchema?>(null);

    public override async Task ReadAsync(EntryHandler handle, CancellationToken cancellationToken)
    {
        try
        {
            await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            await ReadAsync(file, handle, cancellationToken);
        }
        catch (JsonException error)
        {
            throw _entry.Unusable($"it is no JSON: {error.Message}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, $"can't read '{path}': {error.Message}");
        }
    }

    private async Task ReadAsync(FileStream file, EntryHandler handle, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[FirstBuffer];
        int length = 0;
        JsonReaderState state = new(new() { AllowMultipleValues = true });
        for (bool isLast = false; !isLast;)
        {
            int read = await file.ReadAsync(buffer.AsMemory(length), cancellationToken);
            length += read;
            isLast = read == 0;
            int used = TakeEntries(buffer.AsSpan(0, length), isLast, ref state, handle);
            buffer.AsSpan(used, length - used).CopyTo(buffer);
            length -= used;
            if (length == buffer.Length)
            {
                if (length >= MaxEntryBytes)
                {
                    throw _entry.Unusable($"an entry has more than {MaxEntryBytes >> 20} MiB of text");
                }

                Array.Resize(ref buffer, 2 * length);
            }
        }
    }

    // Entries are the objects in an array, or one after the other.
    private int TakeEntries(ReadOnlySpan<byte> text, bool isLast, ref JsonReaderState state, EntryHandler handle)
    {
        Utf8JsonReader reader = new(text, isLast, state);
        Utf8JsonReader done = reader;
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartArray when reader.CurrentDepth == 0:
                case JsonTokenType.EndArray:
                    done = reader;
                    continue;
                case JsonTokenType.StartObject:
                    break;
                default:
                    throw _entry.Unusable($"it has a {reader.TokenType} where an entry, an object, is expected");
            }

            int start = (int)reader.TokenStartIndex;
            if (!reader.TrySkip())
            {
                break;
            }

            _entry.Read(text[start..(int)reader.BytesConsumed], handle);
            done = reader;
        }

        state = done.CurrentState;
        return (int)done.BytesConsumed;
    }
}
