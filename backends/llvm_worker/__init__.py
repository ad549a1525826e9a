"""The program of the worker processes of :mod:`backends.llvm`: it compiles, and it runs strangers' code.

The process imports nothing of the library but this package, and the library imports of this package only ``frames``;
so what the caller's process holds (keys, connections) does not exist here, and llvmlite never exists there.

Who trusts whom: the caller trusts no byte of a worker; the worker trusts its caller; a run of a stranger's function is
a child of the worker, forked for that run, whose only way to answer is a piece of shared memory of a fixed size
(``runs``). Time, processor and memory are limited in the child (``limits``) and, where the kernel can, its system calls
(``system_calls``); a worker whose child ended badly is not used again.

Where system calls cannot be limited the code has the rights of the user who runs it: then start the program that uses
this library as a user of its own, or in a container.
"""
