namespace BpfRemote.Libbpf;

/// <summary>Linux error numbers that the bpf system call returns, under their C names. <see cref="None"/> is success.</summary>
public enum Errno
{
    None = 0,
    EPERM = 1,
    ENOENT = 2,
    ESRCH = 3,
    EINTR = 4,
    EIO = 5,
    E2BIG = 7,
    EBADF = 9,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    EFAULT = 14,
    EBUSY = 16,
    EEXIST = 17,
    ENODEV = 19,
    ENOTDIR = 20,
    EINVAL = 22,
    ENFILE = 23,
    EMFILE = 24,
    ENOSPC = 28,
    EPIPE = 32,
    EDEADLK = 35,
    ENAMETOOLONG = 36,
    ENOSYS = 38,
    ELOOP = 40,
    EOPNOTSUPP = 95,
    ECONNRESET = 104,
    ETIMEDOUT = 110,

    /// <summary>524: the kernel's own "operation not supported", for which libc has no text.</summary>
    ENOTSUPP = 524,
}

/// <summary>Names of error numbers.</summary>
public static class ErrnoNames
{
    /// <summary>The C name, such as <c>ENOSPC</c>; the number for one that has no name here.</summary>
    public static string Name(this Errno errno) => errno.ToString();
}
