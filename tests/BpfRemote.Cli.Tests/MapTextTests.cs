using System.Text;
using BpfRemote.Cli.Output;
using BpfRemote.V1;

namespace BpfRemote.Cli.Tests;

public sealed class MapTextTests
{
    private static readonly Map Hash = new()
    {
        Id = 25,
        Name = "cli_hash",
        Type = MapType.Hash,
        TypeName = "hash",
        KeySize = 4,
        ValueSize = 8,
        MaxEntries = 16,
        MemlockBytes = 2320,
        ReadSupport = new() { ReadMethod = ReadMethod.Batch, Guarantee = Guarantee.ExactlyOnce },
        PinnedPaths = { "/sys/fs/bpf/cli/hash" },
        Programs = { new ProgramReference { Id = 3, Name = "count", Type = "xdp" } },
        Owners = { new OwnerProcess { Pid = 77, Comm = "bpftrace" } },
        OwnersComplete = true,
    };

    [Theory]
    [InlineData(false, """{"id":25,"type":"hash","name":"cli_hash","flags":0,"bytes_key":4,"bytes_value":8,"max_entries":16,"bytes_memlock":2320,"frozen":0}""")]
    [InlineData(true, """{"id":25,"type":"hash","name":"cli_hash","flags":0,"bytes_key":4,"bytes_value":8,"max_entries":16,"bytes_memlock":2320,"frozen":0,"pinned":["/sys/fs/bpf/cli/hash"],"pids":[{"pid":77,"comm":"bpftrace"}],"programs":[{"id":3,"type":"xdp","name":"count"}]}""")]
    public void Json_is_what_bpftool_prints(bool references, string expected) => Assert.Equal(expected, Json(Hash, references));

    [Fact]
    public void Json_shows_what_only_some_maps_have() => Assert.Equal(
        """{"id":1,"type":99,"flags":-2147483648,"dev":{"ifindex":2,"ns_dev":4,"ns_inode":5},"bytes_key":0,"bytes_value":0,"max_entries":0,"bytes_memlock":0,"owner_prog_type":"xdp","owner_jited":true,"frozen":1,"btf_id":9}""",
        Json(
            new()
            {
                Id = 1,
                TypeName = "99",
                Flags = 1u << 31,
                Ifindex = 2,
                NetnsDev = 4,
                NetnsIno = 5,
                OwnerProgType = "xdp",
                OwnerJited = true,
                Frozen = true,
                BtfId = 9,
            },
            references: false));

    [Fact]
    public void Tables_align_and_fit_80_columns()
    {
        Map longest = new() { Id = 123456, Name = "fifteen_letters", TypeName = "percpu_cgroup_storage", ValueSize = 32768, MemlockBytes = 1UL << 40 };
        string text = Text(output => MapText.Table([Hash, longest], width: 80, references: true).Write(output, colour: false));
        Assert.Equal(
            """
                ID  TYPE                   NAME             KEY  VALUE  MAX ENTRIES   MEMORY
                25  hash                   cli_hash           4      8           16  2.3 KiB
                    pinned    /sys/fs/bpf/cli/hash
                    program   3 xdp count
                    process   77 bpftrace
            123456  percpu_cgroup_storage  fifteen_letters    0  32768            0    1 TiB

            """,
            text);
        Assert.All(text.Split('\n'), static line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public void Wide_tables_say_what_a_scan_promises() => Assert.Equal(
        """
        ID  TYPE  NAME      KEY  VALUE  MAX ENTRIES   MEMORY  SCAN
        25  hash  cli_hash    4      8           16  2.3 KiB  exactly once

        """,
        Text(static output => MapText.Table([Hash], width: 200, references: false).Write(output, colour: false)));

    [Fact]
    public void Cards_tell_all_of_a_map()
    {
        Map map = Hash.Clone();
        map.Flags = 0x401;
        Assert.Equal(
            """
            Map 25: cli_hash
              Type         hash
              Key          4 bytes
              Value        8 bytes
              Max entries  16
              Memory       2.3 KiB
              Flags        0x401 (no_prealloc, mmapable)
              Frozen       no
              BTF          none
              Scan         exactly once
              Pinned       /sys/fs/bpf/cli/hash
              Program      3 xdp count
              Process      77 bpftrace

            """,
            Text(output => MapText.Card(map, schema: null, references: true).Write(output, colour: false)));
    }

    [Fact]
    public void A_card_says_what_keys_and_values_are()
    {
        Map map = new() { Id = 7, KeySize = 8, ValueSize = 16, ValueKind = ValueKind.PerCpu };
        string text = Text(output => MapText.Card(map, Typed.Schema(), references: false).Write(output, colour: false));
        Assert.Contains("  Key          8 bytes, struct key\n", text, StringComparison.Ordinal);
        Assert.Contains("  Value        16 bytes per CPU, struct value\n", text, StringComparison.Ordinal);
    }

    private static string Json(Map map, bool references) =>
        Text(output => JsonStyle.Compact.WriteDocument(output, json => MapJson.Write(json, map, references))).TrimEnd('\n');

    private static string Text(Action<OutputBuffer> write)
    {
        using MemoryStream stream = new();
        OutputBuffer output = new(stream);
        write(output);
        output.Flush();
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
