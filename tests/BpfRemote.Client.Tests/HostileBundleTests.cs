using System.IO.Compression;
using System.Text;
using BpfRemote.V1;
using Google.Protobuf;

namespace BpfRemote.Client.Tests;

/// <summary>Files that claim to be bundles.</summary>
public sealed class HostileBundleTests : IDisposable
{
    private const string Manifest =
        """{"format":1,"created":"2026-01-01T00:00:00Z","client_version":"1","maps":[{"id":7,"name":"m","entries":3,"bytes":6,"complete":true,"btf":"00"}]}""";

    private static readonly LookupBatchResponse Entries = new()
    {
        Count = 3,
        Keys = ByteString.CopyFrom(1, 2, 3),
        Values = ByteString.CopyFrom(4, 5, 6),
        Layout = new() { MapId = 7, KeySize = 1, ValueSize = 1, ValueStride = 1, ValueKind = ValueKind.Raw },
    };

    private readonly string _path = Path.GetTempFileName();

    private readonly Dictionary<string, byte[]> _files = new()
    {
        ["bundle.json"] = Encoding.UTF8.GetBytes(Manifest),
        ["node.json"] = "{}"u8.ToArray(),
        ["maps/7.json"] = """{"id":7,"name":"m","key_size":1,"value_size":1,"value_stride":1,"max_lookup_keys":100}"""u8.ToArray(),
        ["entries/7.pb"] = Delimited(Entries),
        ["btf/00.btf"] = [1, 2, 3],
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => File.Delete(_path);

    [Fact]
    public async Task What_the_others_spoil_is_good()
    {
        Write();
        Assert.Equal(3, await ScanAsync());
    }

    [Fact]
    public void A_file_that_is_no_archive_is_refused()
    {
        File.WriteAllText(_path, Manifest);
        Assert.Contains("is no bundle, which is a ZIP file", Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bundle.json", null, "The bundle has no bundle.json.")]
    [InlineData("node.json", null, "The bundle has no node.json.")]
    [InlineData("maps/7.json", null, "The bundle has no maps/7.json.")]
    [InlineData("bundle.json", """{"format":2,"what":"else"}""", "of format 2, and this version reads format 1")]
    [InlineData("bundle.json", "", "bundle.json of the bundle cannot be read")]
    [InlineData("bundle.json", "null", "holds null where a description is expected")]
    [InlineData("bundle.json", "[]", "bundle.json of the bundle cannot be read")]
    [InlineData("bundle.json", """{"format":1}""", "bundle.json of the bundle cannot be read")]
    [InlineData("bundle.json", """{"format":1,"created":"2026-01-01T00:00:00Z","client_version":"1","maps":null}""", "cannot be read")]
    [InlineData("bundle.json", """{"format":1,"created":"2026-01-01T00:00:00Z","client_version":"1","maps":[null]}""", "holds null")]
    [InlineData("node.json", "{", "node.json of the bundle cannot be read")]
    [InlineData("node.json", """{"start_time":"9999999999"}""", "node.json of the bundle cannot be read")]
    [InlineData("maps/7.json", """{"id":"many"}""", "maps/7.json of the bundle cannot be read")]
    [InlineData("maps/7.json", """{"id":8}""", "maps/7.json of the bundle describes map 8")]
    [InlineData("../evil", "", "a file '../evil'")]
    [InlineData("/etc/passwd", "", "a file '/etc/passwd'")]
    [InlineData(@"maps\..\evil", "", @"a file 'maps\..\evil'")]
    public void A_description_that_is_none_is_refused(string file, string? contents, string expected)
    {
        if (contents is null)
        {
            _files.Remove(file);
        }
        else
        {
            _files[file] = Encoding.UTF8.GetBytes(contents);
        }

        Write();
        Assert.Contains(expected, Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_map_or_a_file_that_is_there_twice_is_refused()
    {
        string map = Manifest[(Manifest.IndexOf('[', StringComparison.Ordinal) + 1)..Manifest.IndexOf(']', StringComparison.Ordinal)];
        _files["bundle.json"] = Encoding.UTF8.GetBytes(Manifest.Replace(map, $"{map},{map}", StringComparison.Ordinal));
        Write();
        Assert.Contains("names map 7 twice", Refused(), StringComparison.Ordinal);

        Write(twice: "node.json");
        Assert.Contains("'node.json': a path that no bundle has, or there twice", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_description_without_end_is_refused_before_it_is_unpacked()
    {
        _files["node.json"] = new byte[80 << 20];
        Write();
        long before = GC.GetTotalAllocatedBytes();
        Assert.Contains("node.json of the bundle is damaged: it has 83886080 bytes", Refused(), StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 8 << 20);
    }

    [Fact]
    public async Task Entries_beyond_the_size_that_the_archive_gives_are_refused()
    {
        Write();
        byte[] zip = await File.ReadAllBytesAsync(_path, Cancelled);

        // The size unpacked is in the directory's record, 22 bytes before the name, and means 1 byte of what are more.
        int record = zip.AsSpan().LastIndexOf("entries/7.pb"u8) - 22;
        BitConverter.TryWriteBytes(zip.AsSpan(record), 1);
        await File.WriteAllBytesAsync(_path, zip, Cancelled);
        await Assert.ThrowsAsync<BundleFormatException>(ScanAsync);
    }

    [Theory]
    [InlineData("missing", "The bundle has no entries/7.pb.")]
    [InlineData("empty", "it ends 3 entries early")]
    [InlineData("cut", "it ends within a message")]
    [InlineData("cut length", "it ends within the length of a message")]
    [InlineData("endless length", "has more than 5 bytes")]
    [InlineData("huge", "a message of 268435455 bytes, where 16777216 are the most")]
    [InlineData("no message", "a message is none")]
    [InlineData("no layout", "the first message has no layout")]
    [InlineData("other map", "its layout is that of another map")]
    [InlineData("other sizes", "its layout is that of another map")]
    [InlineData("no CPUs", "its layout is that of another map")]
    [InlineData("few values", "a message of 3 entries has 3 bytes of keys and 2 of values")]
    [InlineData("more", "a message of 4 entries")]
    public async Task Entries_that_are_not_what_was_said_are_refused(string fault, string expected)
    {
        LookupBatchResponse message = Entries.Clone();
        byte[]? contents = fault switch
        {
            "missing" or "empty" => [],
            "cut" => Delimited(message)[..^1],
            "cut length" => [0x80],
            "endless length" => [0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            "huge" => [0xff, 0xff, 0xff, 0x7f],
            "no message" => [2, 0x0a, 0x7f],
            _ => null,
        };
        switch (fault)
        {
            case "no layout":
                message.Layout = null;
                break;
            case "other map":
                message.Layout.MapId = 8;
                break;
            case "other sizes":
                message.Layout.KeySize = 2;
                break;
            case "no CPUs":
                message.Layout.ValueKind = ValueKind.PerCpu;
                break;
            case "few values":
                message.Values = ByteString.CopyFrom(1, 2);
                break;
            case "more":
                message.Count = 4;
                break;
        }

        _files["entries/7.pb"] = contents ?? Delimited(message);
        if (fault == "missing")
        {
            _files.Remove("entries/7.pb");
        }

        Write();
        BundleFormatException error = await Assert.ThrowsAsync<BundleFormatException>(ScanAsync);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Types_that_are_not_what_was_said_are_refused()
    {
        Write();
        using (BpfRemoteClient client = Open())
        {
            InvalidResponseException error = await Assert.ThrowsAsync<InvalidResponseException>(
                () => client.GetBtfAsync(MapSelectors.ById(7), cancellationToken: Cancelled));
            Assert.Contains("with a hash of 1 bytes", error.Message, StringComparison.Ordinal);
        }

        _files["bundle.json"] = Encoding.UTF8.GetBytes(Manifest.Replace("\"00\"", "\"zz\"", StringComparison.Ordinal));
        _files["btf/zz.btf"] = [1];
        Write();
        using BpfRemoteClient other = Open();
        await Assert.ThrowsAsync<BundleFormatException>(() => other.GetBtfAsync(MapSelectors.ById(7), cancellationToken: Cancelled));
    }

    [Fact]
    public async Task Values_too_large_for_memory_are_not_looked_up()
    {
        _files["maps/7.json"] = """{"id":7,"key_size":1,"value_stride":4000000000,"max_lookup_keys":4000000000}"""u8.ToArray();
        Write();
        using BpfRemoteClient client = Open();
        BpfRemoteException error = await Assert.ThrowsAnyAsync<BpfRemoteException>(
            () => client.LookupAsync(MapSelectors.ById(7), new byte[] { 1 }, Cancelled));
        Assert.Equal(ErrorReason.TooManyKeys, error.Reason);
    }

    [Fact]
    public async Task Mutated_bundles_fail_with_what_callers_expect_or_not_at_all()
    {
        Write();
        byte[] good = await File.ReadAllBytesAsync(_path, Cancelled);
        Random random = new(1);
        for (int i = 0; i < 2_000; i++)
        {
            byte[] bad = [.. good];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            }

            await File.WriteAllBytesAsync(_path, bad[..random.Next(bad.Length * 3 / 4, bad.Length + 1)], Cancelled);
            try
            {
                await ScanAsync();
            }
            catch (Exception error) when (error is BundleFormatException or BpfRemoteException)
            {
                continue;
            }
        }
    }

    private static byte[] Delimited(LookupBatchResponse message)
    {
        using MemoryStream stream = new();
        message.WriteDelimitedTo(stream);
        return stream.ToArray();
    }

    private void Write(string? twice = null)
    {
        using ZipArchive zip = new(File.Create(_path), ZipArchiveMode.Create);
        foreach ((string name, byte[] contents) in twice is null ? _files : _files.Append(new(twice, [])))
        {
            using Stream file = zip.CreateEntry(name).Open();
            file.Write(contents);
        }
    }

    private string Refused() => Assert.Throws<BundleFormatException>(Open).Message;

    private BpfRemoteClient Open() => BpfRemoteClient.Connect(new() { Address = $"file:{_path}" });

    private async Task<int> ScanAsync()
    {
        using BpfRemoteClient client = Open();
        return await client.Scan(MapSelectors.ById(7)).Select(static batch => batch.Count).SumAsync(Cancelled);
    }
}
