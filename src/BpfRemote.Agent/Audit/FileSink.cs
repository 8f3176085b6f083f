namespace BpfRemote.Agent.Audit;

/// <summary>Appends audit lines to a file (mode 0640), unbuffered: a line is in the kernel's hands before the call goes on.</summary>
/// <param name="path">The file.</param>
internal sealed class FileSink(string path) : IAuditSink
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private readonly Lock _lock = new();
    private FileStream? _file;

    public void Write(ReadOnlySpan<byte> line)
    {
        Span<byte> text = line.Length < 4_096 ? stackalloc byte[line.Length + 1] : new byte[line.Length + 1];
        line.CopyTo(text);
        text[^1] = (byte)'\n';
        lock (_lock)
        {
            _file ??= Open();
            try
            {
                _file.Write(text);
            }
            catch
            {
                // A part of the line may be there. What comes next begins on a line of its own.
                Close();
                throw;
            }
        }
    }

    public void Reopen()
    {
        lock (_lock)
        {
            Close();
            _file = Open();
        }
    }

    public void Dispose() => Close();

    private FileStream Open()
    {
        FileStreamOptions options = new() { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = Mode;
        }

        try
        {
            return new(path, options);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }
}
