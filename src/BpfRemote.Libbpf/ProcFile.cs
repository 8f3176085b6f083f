using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Libbpf;

/// <summary>Small files under /proc, read without allocating their text.</summary>
internal static class ProcFile
{
    /// <summary>Reads a file to its end, or until the buffer is full.</summary>
    internal static ReadOnlySpan<byte> Read(string path, Span<byte> buffer)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        int length = 0;
        while (length < buffer.Length)
        {
            int read = RandomAccess.Read(file, buffer[length..], length);
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        return buffer[..length];
    }

    /// <summary>Whether a read failed because the process, or the file, went away meanwhile.</summary>
    internal static bool IsGone(Exception exception) =>
        exception is FileNotFoundException or DirectoryNotFoundException or IOException { HResult: (int)Errno.ESRCH };
}
