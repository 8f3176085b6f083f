using System.IO.Compression;

namespace BpfRemote.Client;

/// <summary>One file of a bundle, read from its beginning, never beyond the size that the archive gives for it.</summary>
internal sealed class BundleFile : IDisposable
{
    private readonly string _name;
    private readonly ZipArchive? _owned;
    private readonly Stream _content;
    private long _left;

    private BundleFile(ZipArchive archive, string name, bool ownsArchive)
    {
        _name = name;
        _owned = ownsArchive ? archive : null;
        ZipArchiveEntry entry = archive.GetEntry(name) ?? throw new BundleFormatException($"The bundle has no {name}.");
        Length = _left = entry.Length;
        _content = entry.Open();
    }

    /// <summary>The size that the archive gives.</summary>
    public long Length { get; }

    /// <summary>Opens the archive.</summary>
    /// <exception cref="BundleFormatException">It is none.</exception>
    public static ZipArchive OpenArchive(string bundlePath)
    {
        try
        {
            ZipArchive archive = ZipFile.OpenRead(bundlePath);
            try
            {
                // Reads the directory.
                _ = archive.Entries;
                return archive;
            }
            catch
            {
                archive.Dispose();
                throw;
            }
        }
        catch (InvalidDataException error)
        {
            throw new BundleFormatException($"'{bundlePath}' is no bundle, which is a ZIP file: {error.Message}", error);
        }
    }

    /// <summary>Opens a file with an archive of its own, so that threads may read a bundle at once.</summary>
    /// <exception cref="BundleFormatException">There is no such file, or it cannot be unpacked.</exception>
    public static BundleFile Open(string bundlePath, string name)
    {
        ZipArchive archive = OpenArchive(bundlePath);
        try
        {
            return Open(archive, name, ownsArchive: true);
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file of an archive that is read by nobody else at the time.</summary>
    /// <exception cref="BundleFormatException">There is no such file, or it cannot be unpacked.</exception>
    public static BundleFile Open(ZipArchive archive, string name, bool ownsArchive = false)
    {
        try
        {
            return new(archive, name, ownsArchive);
        }
        catch (InvalidDataException error)
        {
            throw new BundleFormatException($"{name} of the bundle cannot be unpacked: {error.Message}", error);
        }
    }

    /// <summary>Reads as much as there is, at most what fits.</summary>
    /// <returns>How many bytes; fewer than fit only at the end.</returns>
    /// <exception cref="BundleFormatException">The file is damaged.</exception>
    public int Read(Span<byte> buffer)
    {
        try
        {
            int read = _content.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            _left -= read;
            return _left >= 0 ? read : throw Damaged("it is larger than the archive says");
        }
        catch (InvalidDataException error)
        {
            throw Damaged(error.Message, error);
        }
    }

    /// <summary>Reads the whole file.</summary>
    /// <param name="most">The most bytes it may have.</param>
    /// <exception cref="BundleFormatException">It is damaged or has more.</exception>
    public byte[] ReadAll(long most)
    {
        if (Length > most)
        {
            throw Damaged($"it has {Length} bytes, and {most} are the most");
        }

        byte[] all = new byte[Length];
        return Read(all) == all.Length ? all : throw Damaged("it is smaller than the archive says");
    }

    public BundleFormatException Damaged(string what, Exception? cause = null) => new($"{_name} of the bundle is damaged: {what}.", cause);

    public void Dispose()
    {
        _content.Dispose();
        _owned?.Dispose();
    }
}
