/* quick_folder.h - where tests keep databases for as long as they run. */
#ifndef QUICK_FOLDER_H
#define QUICK_FOLDER_H

/* Memory is quicker than a disk, but containers have only 64 MiB of it there: /dev/shm if it has room, else /tmp. */
const char *quick_folder(void);

#endif
