namespace BpfRemote.Client;

/// <summary>
/// BTF objects by the SHA-256 of their bytes: those used last in memory, and where there is a directory, large ones in its files.
/// </summary>
internal sealed class BtfCache(string? directory)
{
    /// <summary>Objects up to this size come whole with the first chunk, so that files would spare nothing.</summary>
    private const int SmallestFile = 64 << 10;

    private const long MaxBytesInMemory = 64 << 20;

    private readonly Lock _lock = new();
    private readonly LinkedList<BtfObject> _recent = [];
    private long _bytes;

    /// <summary>The object with a hash; <see langword="null"/> where it is not here.</summary>
    public BtfObject? Find(string sha256)
    {
        lock (_lock)
        {
            for (LinkedListNode<BtfObject>? node = _recent.First; node is not null; node = node.Next)
            {
                if (node.Value.Sha256 == sha256)
                {
                    _recent.Remove(node);
                    _recent.AddFirst(node);
                    return node.Value;
                }
            }
        }

        if (ReadFile(sha256) is not { } read)
        {
            return null;
        }

        Remember(read);
        return read;
    }

    /// <summary>Keeps an object.</summary>
    public void Add(BtfObject btf)
    {
        Remember(btf);
        WriteFile(btf);
    }

    private void Remember(BtfObject btf)
    {
        lock (_lock)
        {
            _recent.AddFirst(btf);
            _bytes += btf.Data.Length;
            while (_bytes > MaxBytesInMemory && _recent.Count > 1)
            {
                _bytes -= _recent.Last!.Value.Data.Length;
                _recent.RemoveLast();
            }
        }
    }

    private BtfObject? ReadFile(string sha256)
    {
        if (directory is null)
        {
            return null;
        }

        try
        {
            BtfObject read = new(File.ReadAllBytes(PathOf(sha256)));
            return read.Sha256 == sha256 ? read : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // What cannot be kept is fetched again.
    private void WriteFile(BtfObject btf)
    {
        if (directory is null || btf.Data.Length <= SmallestFile)
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(directory);
            string unfinished = Path.Combine(directory, Path.GetRandomFileName());
            try
            {
                File.WriteAllBytes(unfinished, btf.Data.Span);
                File.Move(unfinished, PathOf(btf.Sha256), overwrite: true);
            }
            finally
            {
                File.Delete(unfinished); // there only where the disk is full
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private string PathOf(string sha256) => Path.Combine(directory!, $"{sha256}.btf");
}
